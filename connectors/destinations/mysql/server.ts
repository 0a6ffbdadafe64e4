/** What of a server decides how tables are made and filled. */
import { AirbyteError } from '../../../src/protocol/index.ts'
import type { MysqlClient } from '../../../src/runtime/mysql/client.ts'
import { text } from '../../../src/runtime/mysql/sql.ts'

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

/** Rejects with UNSUPPORTED on a server that does not compare texts by their bytes. */
export async function serverOf(
  client: Pick<MysqlClient, 'mariadb' | 'version' | 'query'>,
): Promise<Server> {
  const collation = client.mariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'
  const [row = []] = await client.query(
    `SELECT @@lower_case_table_names, @@local_infile, @@max_allowed_packet,
       (SELECT COUNT(*) FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ${text(collation)})`,
  )
  if (row[3] === '0') {
    throw new AirbyteError(
      'UNSUPPORTED',
      `The server (${client.version}) has no collation ${collation}: texts that differ in blanks at their end would be one key.`,
      { field: 'config.host', hint: 'Use MySQL 8.0.17 or MariaDB 10.3, or newer.' },
    )
  }
  return {
    collation,
    lowerCase: row[0] !== '0',
    localInfile: row[1] === '1',
    maxPacket: Number(row[2]),
  }
}
