// An application with the SCIM plugin of better-auth, all in memory: node server.mjs PORT TOKEN
import http from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { scim } from "@better-auth/scim";
import Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";

const [port, token] = process.argv.slice(2);
const db = new Kysely({ dialect: new SqliteDialect({ database: new Database(":memory:") }) });
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  // Signs sessions, which nobody opens here.
  secret: "a secret for tests that is long enough to be taken",
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  database: { db, type: "sqlite", transaction: true },
  plugins: [
    scim({
      connections: [{ id: "usher", credentials: [{ type: "bearer", id: "test", token }] }],
      compatibility: { microsoftEntra: { acceptLegacyGroupSchema: true } },
    }),
  ],
};
const auth = betterAuth(options);
await (await getMigrations(options)).runMigrations();
http.createServer(toNodeHandler(auth)).listen(Number(port), "127.0.0.1", () => console.log("listening"));
