/** What of a server decides how tables are made and filled. */
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'

export interface Server {
  /** Of every text: by its bytes, blanks at the end too. */
  collation: string
  /** Names of tables are kept, or compared, in lower case. */
  lowerCase: boolean
  /** It takes LOAD DATA LOCAL. */
  localInfile: boolean
  /** Bytes of the longest statement. */
  maxPacket: number
}

export async function serverOf(client: MysqlClient): Promise<Server> {
  const [row = []] = await client.query(
    'SELECT @@lower_case_table_names, @@local_infile, @@max_allowed_packet',
  )
  return {
    collation: client.mariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin',
    lowerCase: row[0] !== '0',
    localInfile: row[1] === '1',
    maxPacket: Number(row[2]),
  }
}
