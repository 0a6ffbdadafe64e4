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

/** Whether a requester asks for properties in several requests a page. */
export function hasQueryProperties(requester: Component): boolean {
  if (requester.has('query_properties') || requester.has('fetch_properties_from_endpoint')) {
    return true
  }
  const parameters = requester.get('request_parameters')
  if (typeof parameters !== 'object' || parameters === null) return false
  return Object.values(parameters).some((value) => typeof value === 'object' && value !== null)
}
