import { setOwn } from '../python/mappings.ts'
import type { Value } from '../python/values.ts'

interface Element {
  name: string
  content: Record<string, Value>
  text: string
}

/**
 * An XML text as an object: attributes as `@name`, text beside them as `#text`, repeated elements
 * as lists, an empty element as null. Text that is not well-formed gives an empty object.
 */
export function xmlToValue(xml: string): Record<string, Value> {
  const root: Element = { name: '', content: {}, text: '' }
  const stack = [root]
  for (const [
    token,
    comment,
    cdata,
    closing,
    opening,
    attributes = '',
    selfClosing,
    text,
  ] of xml.matchAll(TOKENS)) {
    const current = stack.at(-1) as Element
    if (comment !== undefined || token.startsWith('<?') || token.startsWith('<!DOCTYPE')) continue
    if (cdata !== undefined) current.text += cdata
    else if (text !== undefined) current.text += unescapeXml(text)
    else if (opening !== undefined) {
      const element: Element = { name: opening, content: attributesOf(attributes), text: '' }
      if (selfClosing) append(current, element)
      else stack.push(element)
    } else if (closing !== undefined) {
      const element = stack.pop()
      const parent = stack.at(-1)
      if (!element || !parent || element.name !== closing) return {}
      append(parent, element)
    }
  }
  return stack.length === 1 ? root.content : {}
}

const TOKENS =
  /<!--([\s\S]*?)-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<\/\s*([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/)?>|([^<]+)/g
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

function attributesOf(text: string): Record<string, Value> {
  const found: Record<string, Value> = {}
  for (const [, name, double, single] of text.matchAll(ATTRIBUTE)) {
    found[`@${name}`] = unescapeXml(double ?? single ?? '')
  }
  return found
}

function append(parent: Element, { name, content, text }: Element): void {
  const trimmed = text.trim()
  const isEmpty = Object.keys(content).length === 0
  if (!isEmpty && trimmed !== '') content['#text'] = trimmed
  const value: Value = isEmpty ? (trimmed === '' ? null : trimmed) : content
  if (!Object.hasOwn(parent.content, name)) setOwn(parent.content, name, value)
  else {
    const present = parent.content[name]
    if (Array.isArray(present)) present.push(value)
    else parent.content[name] = [present, value]
  }
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescapeXml(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, entity: string) => {
    if (!entity.startsWith('#')) return ENTITIES[entity] ?? whole
    const code = entity[1] === 'x' ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1))
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
