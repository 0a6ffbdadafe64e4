/** Whether a form was sent by a page of another site. Programs, which name no origin, are not. */
export function isForeign(request: Request): boolean {
  const origin = request.headers.get('origin')
  return origin !== null && origin !== new URL(request.url).origin
}
