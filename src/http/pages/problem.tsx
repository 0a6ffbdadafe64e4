import { page } from './layout.tsx'

export interface ProblemPage {
  status: number
  title: string
  text: string
  /** The way to try again. */
  link?: { href: string; label: string }
}

/** What went wrong on a way through another site, and how to go on. */
export function problemPage({ status, title, text, link }: ProblemPage): Response {
  return page(
    title,
    <>
      <h1>{title}</h1>
      <p class="problem">{text}</p>
      {link && (
        <p>
          <a href={link.href}>{link.label}</a>
        </p>
      )}
    </>,
    { status },
  )
}
