import t from 'tap'
import { views } from '../../../drizzle/registry.js'
import { PostgresDatabase } from '../../../src/store/postgres/postgres-database.js'
import type { ViewChange } from '../../../src/store/view-changes.js'
import { queryOnce } from '../../support/postgres-client.js'
import { postgresDatabase } from '../../support/postgres-database.js'
import { servingRole } from '../../support/serving-role.js'
import { until } from '../../support/until.js'

for (const view of views) {
  t.test(
    `nothing of ${view.name} is cached while its triggers are wrong, and the role may not put them back`,
    async (t) => {
      const owners = await postgresDatabase(t)
      const serving = await servingRole(t, owners)
      const owner = await PostgresDatabase.open(owners)
      await owner.grantServing(new URL(serving).username)
      await owner.close()

      const changes: ViewChange[] = []
      const database = await PostgresDatabase.open(serving)
      t.teardown(() => database.close())
      const store = database.createStore({
        keepViewsEveryMs: 5,
        onViewChange: (change) => changes.push(change),
      })
      t.teardown(() => store.close())
      const isKept = async () => {
        const version = await store.views.version(view)
        return version === (await store.views.version(view))
      }
      t.ok(await isKept())

      await queryOnce(owners, `DROP TRIGGER ${view.name}_update ON employees`)
      await until(() => changes.length > 0)
      t.strictSame(changes, [{ view: view.name, what: 'broken' }])
      t.notOk(await isKept())
      const filling = await store.views.read(view)
      t.not(filling.version, await store.views.version(view), 'a fill is kept nowhere')
      filling.destroy()

      await (await PostgresDatabase.open(owners)).close()
      await until(isKept)
      t.equal(changes.length, 1, 'it was said once')
    },
  )
}
