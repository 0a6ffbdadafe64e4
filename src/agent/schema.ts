/** Numbered migrations of the TenantAgent's own tables; docs/storage.md describes every column. */
export const TENANT_SCHEMA: readonly string[] = [
  `create table entities (
     id text primary key,
     kind text not null,
     name text not null,
     type text,
     source_id text,
     destination_id text,
     status text not null,
     phase text not null,
     next_run_at integer,
     last_sync text,
     created_at integer not null,
     updated_at integer not null
   ) without rowid;
   create unique index entities_name on entities (kind, name) where phase <> 'deleting';
   create index entities_source on entities (source_id) where source_id is not null;
   create index entities_destination on entities (destination_id) where destination_id is not null;

   create table syncs (
     sync_id integer primary key autoincrement,
     connection_id text not null,
     status text not null,
     slot_until integer,
     summary text,
     updated_at integer not null
   );
   create index syncs_connection on syncs (connection_id, sync_id);
   create index syncs_slot on syncs (slot_until) where slot_until is not null;

   create table audit (
     seq integer primary key autoincrement,
     at integer not null,
     subject text not null,
     caller_kind text not null,
     client_id text,
     face text not null,
     op text not null,
     targets text not null,
     outcome text not null
   );`,
  `alter table entities add column connector_id text;
   create index entities_connector on entities (connector_id) where connector_id is not null;

   create table connectors (
     id text primary key,
     kind text not null,
     name text not null,
     shadows integer not null,
     release text not null,
     created_at integer not null,
     updated_at integer not null
   ) without rowid;
   create unique index connectors_name on connectors (kind, name);

   create table connector_releases (
     seq integer primary key autoincrement,
     connector_id text not null,
     release text not null
   );
   create index connector_releases_connector on connector_releases (connector_id, seq);`,
  `alter table entities add column fresh_as_of integer;
   alter table entities add column freshness_seconds integer;
   alter table entities add column paused_reason text;`,
]
