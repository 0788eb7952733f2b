// What a command waits for is shown on a terminal after a second, and gone when the work ends.
import { expect, test } from "vitest";
import { activityOn } from "../../../../cli/program/activity.ts";
import { virtualClock } from "../../../sim/virtual-clock.ts";

/** What is written while work of this duration runs, with work within it. */
async function written(milliseconds: number, isTTY: boolean): Promise<readonly string[]> {
  const clock = virtualClock();
  const texts: string[] = [];
  const whileShowing = activityOn({ isTTY, columns: 30, write: (text) => texts.push(text) }, clock);
  const work = whileShowing("waiting for the pod", () =>
    whileShowing("waiting for the server", () => clock.sleep(milliseconds)),
  );
  await clock.run(clock.now() + milliseconds);
  await work;
  return texts.map((text) => text.replaceAll("\r\x1b[2K", "<clear>"));
}

test.each<[what: string, milliseconds: number, isTTY: boolean, texts: readonly string[]]>([
  ["short work", 900, true, []],
  ["long work", 2500, true, ["<clear>waiting for the pod ... 1 s", "<clear>waiting for the pod ... 2 s", "<clear>"]],
  ["long work without a terminal", 2500, false, []],
])("%s", async (_, milliseconds, isTTY, texts) => expect(await written(milliseconds, isTTY)).toEqual(texts));

test("a line is as long as the terminal is wide", async () => {
  const [line = ""] = await written(1500, true);
  expect(line.length - "<clear>".length).toBeLessThan(30);
});
