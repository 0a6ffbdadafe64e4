import { ACCESS_LEVEL_NAMES, ACCESS_LEVELS, type AccessLevel } from '../../identity/scopes.ts'

interface LevelChoiceProps {
  legend: string
  name: string
  suggested: AccessLevel
}

/** One of the levels of access, each with what it may do. */
export function LevelChoice({ legend, name, suggested }: LevelChoiceProps) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {ACCESS_LEVEL_NAMES.map((level) => (
        <label class="choice">
          <input type="radio" name={name} value={level} checked={level === suggested} required />
          <div>
            {ACCESS_LEVELS[level].title}
            <div class="help">{ACCESS_LEVELS[level].description}</div>
          </div>
        </label>
      ))}
    </fieldset>
  )
}
