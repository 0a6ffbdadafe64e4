import { expect, it } from 'vitest'
import { declarativeConformance, readMocked } from '../declarative/suite.ts'
import { pokeapi } from './mock.ts'

declarativeConformance(pokeapi)

it('reads only the Pokémon that the config names', async () => {
  const { records } = await readMocked(pokeapi, {
    config: { pokemon_name: 'pokemon-2' },
    stream: 'pokemon',
  })
  expect(records.map(({ name }) => name)).toEqual(['pokemon-2'])
})
