export default {
  fetch: () => new Response('not found', { status: 404 }),
} satisfies ExportedHandler
