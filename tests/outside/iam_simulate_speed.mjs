// Decisions a second of @cloud-copilot/iam-simulate on the simulations of a file, one a line: the file
// is read once, its policies are texts; the policies of each line are parsed, and the line is decided.
// Prints the seconds of each round, by the clock and of the processor, and the decisions.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const [file, rounds] = process.argv.slice(2)
const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
const parsed = (named) => named.map(({ name, policy }) => ({ name, policy: JSON.parse(policy) }))

async function round() {
  const decisions = []
  for (const line of lines) {
    const asked = { ...line, identityPolicies: parsed(line.identityPolicies) }
    asked.serviceControlPolicies = asked.serviceControlPolicies.map((level) => ({
      orgIdentifier: level.orgIdentifier,
      policies: parsed(level.policies),
    }))
    asked.permissionBoundaryPolicies &&= parsed(asked.permissionBoundaryPolicies)
    asked.resourcePolicy &&= JSON.parse(asked.resourcePolicy)
    const found = await runSimulation(asked, {})
    decisions.push(found.overallResult ?? JSON.stringify(found.errors))
  }
  return decisions
}

let decisions = await round() // also warms up
const seconds = []
const processor = []
for (let n = 0; n < Number(rounds); n++) {
  const began = performance.now()
  const used = process.cpuUsage()
  decisions = await round()
  const { user, system } = process.cpuUsage(used)
  processor.push((user + system) / 1e6)
  seconds.push((performance.now() - began) / 1000)
}
process.stdout.write(JSON.stringify({ seconds, processor, decisions }))
