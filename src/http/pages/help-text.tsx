const LINK = /<a\s[^>]*href=["'](https:\/\/[^"'\s]+)["'][^>]*>(.*?)<\/a>/gis
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/**
 * A description of a spec. Airbyte's hold some HTML: links stay links, the rest becomes text. What
 * stands between backticks is code.
 */
export function HelpText({ text }: { text: string }) {
  const [before = '', ...rest] = text.split(LINK)
  const links = Array.from({ length: rest.length / 3 }, (_, i) => rest.slice(i * 3, i * 3 + 3))
  return (
    <>
      <Plain text={before} />
      {links.map(([href, label = '', after = '']) => (
        <>
          <a href={href} target="_blank" rel="noreferrer">
            <Plain text={label} />
          </a>
          <Plain text={after} />
        </>
      ))}
    </>
  )
}

function Plain({ text }: { text: string }) {
  const parts = withoutTags(text).split(/`([^`]+)`/)
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))}</>
}

/** Without the tags that descriptions use, and nothing else: `<user>` may be meant. */
const withoutTags = (text: string) =>
  text
    .replaceAll(/<\/?(?:a|b|i|p|br|ul|ol|li|em|code|strong|span)(?:\s[^>]*)?\/?>/gi, ' ')
    .replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replaceAll(/[ \t]+/g, ' ')
