import { type ContentBlock, inputRequired, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { isAnswered } from './asking.ts'
import { PNG } from './content.ts'
import { form } from './forms.ts'

export function registerPrompts(server: McpServer): void {
  const description = 'A fixture.'
  server.registerPrompt('test_simple_prompt', { description }, () =>
    asUser(text('This is a simple prompt for testing.')),
  )
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description, argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => asUser(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description, argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) =>
      asUser(
        {
          type: 'resource',
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        text('Please process the embedded resource above.'),
      ),
  )
  server.registerPrompt('test_prompt_with_image', { description }, () =>
    asUser(
      { type: 'image', data: PNG, mimeType: 'image/png' },
      text('Please analyze the image above.'),
    ),
  )
  server.registerPrompt('test_input_required_result_prompt', { description }, (ctx) =>
    isAnswered(ctx, 'user_context')
      ? asUser(text('The client gave a context.'))
      : inputRequired({
          inputRequests: {
            user_context: form('What context should the prompt use?', {
              context: { type: 'string' },
            }),
          },
        }),
  )
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['testing'], total: 1, hasMore: false },
  }))
}

const text = (value: string): ContentBlock => ({ type: 'text', text: value })

const asUser = (...contents: ContentBlock[]) => ({
  messages: contents.map((content) => ({ role: 'user' as const, content })),
})
