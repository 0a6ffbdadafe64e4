import type { Component } from '../component.ts'
import type { Action } from '../errors/resolution.ts'

/** Whether a requester's error handler has a response filter with this action. */
export function asksFor(action: Action, requester: Component): boolean {
  const handler = requester.optionalChild('error_handler')
  return handler !== undefined && handles(action, handler)
}

function handles(action: Action, handler: Component): boolean {
  if (handler.type === 'CompositeErrorHandler') {
    return handler.children('error_handlers').some((child) => handles(action, child))
  }
  if (handler.type !== 'DefaultErrorHandler') return false
  return handler.children('response_filters').some((filter) => filter.get('action') === action)
}
