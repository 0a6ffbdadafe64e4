import type { Buffer } from 'node:buffer'

/** What decoders of the Encoding Standard are called, by MySQL's name of the character set. */
const LABELS: Record<string, string> = {
  ascii: 'windows-1252',
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
  latin7: 'iso-8859-13',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp866: 'ibm866',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  macroman: 'macintosh',
  tis620: 'windows-874',
  gb2312: 'gbk',
  gbk: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
  ujis: 'euc-jp',
  eucjpms: 'euc-jp',
  euckr: 'euc-kr',
  ucs2: 'utf-16be',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
}

export type DecodeText = (bytes: Buffer, start: number, end: number) => string

/** Of the bytes behind a text, how many become one string with it. */
const WINDOW = 16 << 10

/**
 * A call of the platform's for each text costs more than all else about a row. So texts of ASCII are
 * cut from one string of the bytes around them.
 */
function utf8Reader(): DecodeText {
  let source: Buffer | undefined
  let from = 0
  let window = ''
  return (bytes, start, end) => {
    if (end - start > WINDOW) return bytes.toString('utf8', start, end)
    for (let at = start; at < end; at++) {
      if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
    }
    if (bytes !== source || start < from || end > from + window.length) {
      source = bytes
      from = start
      window = bytes.toString('latin1', start, start + WINDOW)
    }
    return window.slice(start - from, end - from)
  }
}

/** One for all columns: they lie side by side. */
const utf8 = utf8Reader()

/** Texts are in the log as they are stored. Undefined: this character set cannot be decoded here. */
export function decoderOf(charset: string): DecodeText | undefined {
  if (charset.startsWith('utf8')) return utf8
  const label = LABELS[charset]
  if (!label) return undefined
  const decoder = new TextDecoder(label, { ignoreBOM: true, fatal: false })
  return (bytes, start, end) => decoder.decode(bytes.subarray(start, end))
}
