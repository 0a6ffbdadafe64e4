const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#4f46e5"/><path d="M6 11h13m0 0-4-4m4 4-4 4M26 21H13m0 0 4-4m-4 4 4 4" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`

/** The server's picture, in itself: a client fetches nothing. */
export const ICON = {
  src: `data:image/svg+xml;base64,${btoa(SVG)}`,
  mimeType: 'image/svg+xml',
  sizes: ['any'],
}
