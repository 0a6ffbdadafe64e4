// The same sentences, in the runtime that production has.
import './scrubber.test.ts'
import './secrets.test.ts'
import './vault.test.ts'
