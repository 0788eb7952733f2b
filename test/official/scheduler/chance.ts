// Choices of a generator, repeatable by seed.
import { seeded } from "../../sim/virtual-clock.ts";

/** Draws from one stream of random numbers. */
export interface Chance {
  /** True with this probability. */
  of(probability: number): boolean;
  /** A whole number between both, inclusive. */
  int(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  /** A list of so many elements. */
  list<T>(from: number, to: number, make: (index: number) => T): T[];
  /** Some elements, each at most once, in their order. */
  some<T>(from: readonly T[], probability: number): T[];
  /** The fields, with this probability; otherwise none. */
  maybe<T extends object>(probability: number, fields: () => T): T | object;
}

export function chanceOf(seed: number): Chance {
  const random = seeded(seed);
  const int = (from: number, to: number): number => from + Math.floor(random.next() * (to - from + 1));
  const of = (probability: number): boolean => random.next() < probability;
  return {
    of,
    int,
    pick: (from) => from[int(0, from.length - 1)]!,
    list: (from, to, make) => Array.from({ length: int(from, to) }, (_, i) => make(i)),
    some: (from, probability) => from.filter(() => of(probability)),
    maybe: (probability, fields) => (of(probability) ? fields() : {}),
  };
}
