// The log in memory, held to the suite.
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { storageSuite } from "./storage.ts";

storageSuite("memory", async () => memoryStorage());
