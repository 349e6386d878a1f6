import type { PrivacyChange, PrivacyPurpose, PrivacyRow, PrivacyTable } from '../protocol/index.js';
import { boolean, count, list, object, string } from './parse.js';

export function parsePrivacyTable(value: unknown): PrivacyTable {
  const fields = object(value);
  return {
    version: count(fields, 'version'),
    last_update: string(fields, 'last_update'),
    purposes: list(fields, 'purposes').map(parsePurpose),
    rows: list(fields, 'rows').map(parseRow),
    changes: list(fields, 'changes').map(parseChange),
  };
}

function parsePurpose(value: unknown): PrivacyPurpose {
  const fields = object(value);
  return {
    name: string(fields, 'name'),
    version: count(fields, 'version'),
    since: string(fields, 'since'),
    title: fields.title === null ? null : string(fields, 'title'),
    words: string(fields, 'words'),
    who: string(fields, 'who'),
    how_long: fields.how_long === null ? null : string(fields, 'how_long'),
    basis: string(fields, 'basis'),
    objection: string(fields, 'objection'),
    asked: boolean(fields, 'asked'),
  };
}

function parseRow(value: unknown): PrivacyRow {
  const fields = object(value);
  return {
    kind: string(fields, 'kind'),
    place: string(fields, 'place'),
    about: string(fields, 'about'),
    what: string(fields, 'what'),
    why: string(fields, 'why'),
    until: string(fields, 'until'),
    longest: fields.longest === null ? null : count(fields, 'longest'),
    purpose: string(fields, 'purpose'),
    basis: string(fields, 'basis'),
    forgotten_by: string(fields, 'forgotten_by'),
  };
}

function parseChange(value: unknown): PrivacyChange {
  const fields = object(value);
  return { version: count(fields, 'version'), date: string(fields, 'date'), what: string(fields, 'what') };
}
