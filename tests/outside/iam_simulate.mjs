// One simulation of @cloud-copilot/iam-simulate a line in, one {"result", "ignored"} or {"error"} a line out.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let answer
  try {
    const found = await runSimulation(JSON.parse(line), {})
    if (found.resultType === 'error') {
      answer = { error: JSON.stringify(found.errors) }
    } else {
      const results = found.resultType === 'single' ? [found.result] : found.results
      const ignored = results.flatMap((each) => each.ignoredContextKeys ?? [])
      answer = { result: found.overallResult, ignored, results: results.length }
    }
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
