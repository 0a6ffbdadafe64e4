import { chunkCodecSuite } from './chunk-codec-suite.ts'

chunkCodecSuite()
