// The rules of one service among those of a node, for explanations. Pure.
import type { ProxyRule } from "../../api/explanation/explanation.ts";
import type { Service } from "../../api/generated/types.ts";
import type { Ruleset } from "./rules.ts";

const target = /dnat to (\d+\.\d+\.\d+\.\d+:\d+)/;
const targetsOfMap = /(\d+\.\d+\.\d+\.\d+) \. (\d+)/g;
const jump = /\bgoto (\w+)/g;

/** The chains that are reached from a verdict, with their rules. */
function reached(verdict: string, { chains }: Pick<Ruleset, "chains">, seen = new Set<string>()): readonly string[] {
  return [...verdict.matchAll(jump)].flatMap(([, name = ""]) => {
    if (seen.has(name)) return [];
    seen.add(name);
    const rules = chains.get(name) ?? [];
    return [...rules.map((rule) => `${name}: ${rule}`), ...rules.flatMap((rule) => reached(rule, { chains }, seen))];
  });
}

function targetsIn(rules: readonly string[]): readonly string[] {
  const found = rules.flatMap((rule) => {
    const [, single] = target.exec(rule) ?? [];
    if (single !== undefined) return [single];
    return rule.includes("dnat ip addr . port") ? [...rule.matchAll(targetsOfMap)].map(([, a, p]) => `${a}:${p}`) : [];
  });
  return [...new Set(found)].toSorted();
}

/** What the ruleset does with packets to each address and port of a service. Without a rule they are rejected. */
export function serviceRules({ spec }: Service, ruleset: Ruleset): readonly ProxyRule[] {
  const addresses = [spec.clusterIP ?? "", ...(spec.externalIPs ?? [])].filter((a) => a !== "" && a !== "None");
  return (spec.ports ?? []).flatMap(({ port, nodePort, protocol = "TCP" }) => {
    const word = protocol.toLowerCase();
    const ruleFor = (to: string, verdict: string | undefined): ProxyRule => {
      const rules = verdict === undefined ? [] : reached(verdict, ruleset);
      return { to: `${to}/${protocol}`, targets: targetsIn(rules), rules };
    };
    return [
      ...addresses.map((a) => ruleFor(`${a}:${port}`, ruleset.services.get(`${a} . ${word} . ${port}`))),
      ...(nodePort ? [ruleFor(`*:${nodePort}`, ruleset.nodePorts.get(`${word} . ${nodePort}`))] : []),
    ];
  });
}
