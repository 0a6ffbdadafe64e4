/** Synthetic resources in the shapes of https://pokeapi.co/docs/v2; numbers and names are made up. */
export interface Resource {
  /** Its path under `/api/v2`. */
  resource: string
  make(id: number): object
  /** Fields that are null in every synthetic row. */
  empty?: string[]
}

const named = (kind: string, id: number) => ({
  name: `${kind}-${id}`,
  url: `https://pokeapi.co/api/v2/${kind}/${id}/`,
})

const names = (text: string) => [{ name: text, language: named('language', 9) }]

export const RESOURCES: Record<string, Resource> = {
  natures: {
    resource: 'nature',
    make: (id) => ({
      name: `nature-${id}`,
      decreased_stat: id === 1 ? null : named('stat', id),
      increased_stat: named('stat', id + 1),
      hates_flavor: named('berry-flavor', id),
      likes_flavor: named('berry-flavor', id + 1),
      pokeathlon_stat_changes: [{ max_change: -1, pokeathlon_stat: named('pokeathlon-stat', id) }],
      move_battle_style_preferences: [
        {
          low_hp_preference: 32,
          high_hp_preference: 61,
          move_battle_style: named('move-battle-style', 1),
        },
      ],
      names: names(`Nature ${id}`),
    }),
  },
}
