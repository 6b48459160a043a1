/** For tests that are imported behind this. */
process.env.TEST_DATABASE = 'sqlite'

export {}
