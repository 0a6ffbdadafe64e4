/** The client that the providers of the tests know, and the origin of the Worker under test. */
export const CLIENT = { id: 'airbyte-test', secret: 'a secret of the test client' }
export const ORIGIN = 'http://localhost:8787'
