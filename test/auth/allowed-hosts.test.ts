// no database: names of hosts are read
import t from 'tap'
import { isAllowedHost, parseHosts } from '../../src/auth/allowed-hosts.js'

t.test('the names of this machine for itself are allowed, with and without a port', async (t) => {
  for (const host of [
    'localhost',
    'LocalHost:3000',
    'localhost.',
    'app.localhost',
    'a.b.localhost:80',
    '127.0.0.1',
    '127.8.9.10:3000',
    '[::1]',
    '[::1]:3000',
    '[0:0:0:0:0:0:0:1]',
    'localhost:',
  ]) {
    t.ok(isAllowedHost([], host), host)
  }
})

t.test('every other name is not, whatever it begins and ends with', async (t) => {
  for (const host of [
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil-localhost',
    'localhost..',
    '128.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::2]',
    '::1',
    '[::1',
    '[localhost]',
    'evil.example:localhost',
    'localhost:80:80',
    'localhost@evil.example',
    'user@localhost',
    'evil.example/localhost',
    'localhost evil.example',
    'localhost,evil.example',
    '%6cocalhost',
  ]) {
    t.notOk(isAllowedHost([], host), host)
  }
})

t.test('names of ALLOWED_HOSTS are compared without port, case and final dot', async (t) => {
  const allowed = parseHosts('Employees.Example:8443, 10.0.0.5,2001:DB8::5, [2001:db8::6]:3000')
  for (const host of [
    'employees.example',
    'EMPLOYEES.example.:3000',
    '10.0.0.5:3000',
    '[2001:db8::5]',
    '[2001:db8:0:0:0:0:0:6]:80',
    'localhost',
  ]) {
    t.ok(isAllowedHost(allowed, host), host)
  }
  for (const host of ['a.employees.example', 'example', '10.0.0.50', '[2001:db8::7]']) {
    t.notOk(isAllowedHost(allowed, host), host)
  }
})
