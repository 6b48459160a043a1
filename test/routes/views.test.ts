import t from 'tap'
import { build } from '../support/build.js'
import { redisClient, redisUrl } from '../support/redis-server.js'

const views = [
  { path: '/employees/high-salary', view: 'high_salary_emps' },
  { path: '/employees/top2-by-department', view: 'top2_by_dept' },
]

for (const { path, view } of views) {
  t.test(
    `${path}: a miss is stored in Redis with a TTL, then hits come from this process`,
    async (t) => {
      const url = await redisUrl(t)
      const app = await build(t, { redisUrl: url })
      await app.inject({ method: 'POST', url: '/employees', payload: ada })

      const miss = await app.inject(path)
      t.equal(miss.headers['cache-status'], 'employees; fwd=miss; stored')
      t.same(miss.json(), [{ id: 1, ...ada }])
      const hit = await app.inject(path)
      t.equal(hit.headers['cache-status'], 'employees; hit; ttl=300; detail=near')
      t.equal(hit.body, miss.body)

      const redis = redisClient(t, url)
      const key = `${view}:1:${await app.employees.version(view)}`
      t.equal(await redis.get(key), miss.body)
      const ttl = await redis.ttl(key)
      t.ok(ttl > 290 && ttl <= 300, `the key lives for ${ttl} s`)
    },
  )
}

const ada = { name: 'Ada', salary: 120000, department: 'Engineering' }
