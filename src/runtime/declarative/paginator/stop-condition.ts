import type { CompareOperator, Expression } from '../template/ast.ts'
import { parseTemplate } from '../template/parse-template.ts'

/**
 * Whether a stop condition is true for a page that is full at a size smaller than the configured
 * one: it compares `last_page_size` with something that does not follow the size. Only what is sure
 * counts; a condition of another shape is not judged.
 *
 * @example
 * stopsShort('{{ last_page_size < 100 }}', 1) // true
 * stopsShort('{{ last_page_size < page_size }}', 1) // false
 */
export function stopsShort(condition: string, leastPageSize: number): boolean {
  const [output, more] = parseTemplate(condition)
  if (output?.type !== 'output' || more) return false
  return decides(output.value, leastPageSize)
}

function decides(node: Expression, least: number): boolean {
  if (node.type === 'and' || node.type === 'or') {
    return decides(node.left, least) || decides(node.right, least)
  }
  if (node.type !== 'compare') return false
  let left = node.first
  return node.rest.some(({ operator, right }) => {
    const found = isShort(left, operator, right, least)
    left = right
    return found
  })
}

const MIRRORED: Partial<Record<CompareOperator, CompareOperator>> = { '>': '<', '>=': '<=' }

function isShort(
  left: Expression,
  operator: CompareOperator,
  right: Expression,
  least: number,
): boolean {
  if (isLastPageSize(right) && MIRRORED[operator]) {
    return isShort(right, MIRRORED[operator], left, least)
  }
  if (!isLastPageSize(left) || (operator !== '<' && operator !== '<=')) return false
  const limit = unfiltered(right)
  if (limit.type === 'name' && limit.name === 'page_size') return false
  if (limit.type !== 'constant') return !mentionsPageSize(right)
  return Number(limit.value) + (operator === '<=' ? 1 : 0) > least
}

const isLastPageSize = (node: Expression) =>
  unfiltered(node).type === 'name' &&
  (unfiltered(node) as { name?: string }).name === 'last_page_size'

const unfiltered = (node: Expression): Expression =>
  node.type === 'filter' ? unfiltered(node.of) : node

/** Whether a template reads the `page_size` that was asked for. */
export const readsPageSize = (source: string) => mentionsPageSize(parseTemplate(source))

/** Something made of it may follow the size or not. */
const mentionsPageSize = (node: unknown): boolean => {
  if (Array.isArray(node)) return node.some(mentionsPageSize)
  if (typeof node !== 'object' || node === null) return false
  const { type, name } = node as { type?: string; name?: string }
  if (type === 'name' && name === 'page_size') return true
  return Object.values(node).some(mentionsPageSize)
}
