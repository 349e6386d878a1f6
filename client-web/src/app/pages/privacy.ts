import { html, nothing, type TemplateResult } from 'lit';
import type { BreakGlass, PrivacyPurpose, PrivacyRow, PrivacyTable } from '../../protocol/index.js';
import { api } from '../api.js';
import { journal } from '../api-journal.js';
import { Page } from '../page.js';
import { errorNotice } from '../parts.js';
import '../receipts-here.js';
import { basisWords, dateWords, HEADINGS, inOrder, named, permission, placeWords } from '../privacy-words.js';
import { moment } from '../words.js';

/** Says what is true of this server, by the table that it forgets by, and nothing else. */
class Privacy extends Page {
  static override properties = { ...Page.properties, table: { state: true }, glass: { state: true } };

  declare table: PrivacyTable | null;
  /** Where accounts of people who are put out are recorded, now or soon. */
  declare glass: readonly BreakGlass[];

  constructor() {
    super();
    this.table = null;
    this.glass = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(async () => {
      this.table = await api.privacy();
    });
    // Without an answer, the page says the rest.
    journal.breakGlass().then(
      (glass) => {
        this.glass = glass;
      },
      () => {},
    );
  }

  protected override render(): TemplateResult {
    return html`<div class="frame prose">
      <h1>What this server knows</h1>
      <p class="lead">As little as it can, for as short a time as it can. Here is all of it, in plain words.</p>
      <p>
        Watching takes no account and leaves no cookie, unless an event asks you to sign in. Nobody’s visits are
        counted, and nothing on these pages comes from anywhere but this server.
      </p>
      ${errorNotice(this.error)} ${this.table === null ? nothing : whole(this.table)}

      <vc-receipts-here .level=${2}></vc-receipts-here>

      <h2>The session log</h2>
      <p>
        So that whoever runs this server can see what went wrong, it notes what happened at an event, and not to whom: you have a
        random name there, another one at each event and each day. Something is written only together with what at least four
        others did, in an order that says nothing. Of your browser it says Chromium, Firefox or Safari at most, and only if at
        least four others have the same and the same picture.
      </p>
      <p>
        Its key is destroyed after a day, or as its signed schedule says: it is kept no longer than that. Anybody can keep the
        <a href="/.well-known/veilcast-heads.json">signed heads</a> as a witness; with them, a change, a cut or a late end is
        noticed. That nobody has made a copy before cannot be proven, by us neither.
      </p>
      <p>
        At one event, and for a day at most, the account of whoever a moderator puts out can be written into it (“break-glass”). Two
        people who run this server have to ask for it, or one has to wait for an hour. Here and at that event it says so before it begins;
        nothing from before it becomes known.
        ${
          this.glass.length === 0
            ? 'It is in force nowhere at the moment.'
            : this.glass.map(
                ({ from, until }) =>
                  html`<strong>At one event it is in force from ${moment(from)} to ${moment(until)}. </strong>`,
              )
        }
      </p>
      <p>
        If you agreed to count towards an event’s figures, you are in at most five of seven, once in each, and noise is added when the
        event is over: whether you are in them makes next to no difference to what they say (differential privacy, epsilon 1).
      </p>

      <h2>What this cannot promise</h2>
      <p>
        The part that moves the video knows addresses but no names; the part that checks passes and passwords hands it
        random numbers only. Both run in one program here. That protects against mistakes and leaks, not against a
        person who runs this server and changes the program. What a screen has shown can be photographed.
      </p>
      <p>
        Memory that is given back is overwritten with zeros, and the program keeps itself from being dumped to disk. What
        the operating system holds meanwhile, such as network buffers, is beyond its reach.
      </p>
    </div>`;
  }
}

function whole({ purposes, rows, changes, version, last_update }: PrivacyTable): TemplateResult {
  return html`${HEADINGS.map(([about, heading]) => {
    const own = inOrder(rows.filter((row) => row.about === about));
    return own.length === 0
      ? nothing
      : html`<h2>${heading}</h2>
          <dl class="ledger">${own.map(entry)}</dl>`;
  })}

    <h2>What is needed, and nobody is asked about</h2>
    <dl class="ledger">${purposes.filter(({ asked }) => !asked).map((each) => needed(each, rows))}</dl>

    <h2>What you are asked for</h2>
    <p>All of it is off until you say yes, and watching needs none of it.</p>
    <dl class="ledger">${purposes.filter(({ asked }) => asked).map(asked)}</dl>

    <h2>What changed</h2>
    <p>
      This is version ${version}, of ${dateWords(last_update)}. After a change every page says so for a month, to
      everybody: that way nobody has to be remembered as told. The date stays at the foot of each page.
    </p>
    <dl class="ledger">
      ${changes.map(
        ({ date, what, version: number }) =>
          html`<dt>${dateWords(date)}, version ${number}</dt>
            <dd>${what}</dd>`,
      )}
    </dl>
    <p>
      Machines read the same at
      <a href="/.well-known/privacy.json" target="_blank" rel="noopener">/.well-known/privacy.json</a>. The signal Global
      Privacy Control is honoured, and not stored.
    </p>`;
}

function entry(row: PrivacyRow): TemplateResult {
  const { name, rest } = named(row.what);
  return html`<dt>${name}</dt>
    <dd>
      ${rest === '' ? nothing : html`<p>${rest}</p>`}
      <p><strong>Why:</strong> ${row.why}</p>
      <p><strong>Until:</strong> ${row.until}</p>
      <p class="fine">${placeWords(row.place)}. ${permission(row)}</p>
    </dd>`;
}

function needed(purpose: PrivacyPurpose, rows: readonly PrivacyRow[]): TemplateResult {
  const { name, words, who, basis, objection } = purpose;
  const own = rows
    .filter((row) => row.purpose === name)
    .map(({ what }) => named(what).name.replace(/\.$/, ''));
  const { name: title, rest } = named(words);
  return html`<dt>${title}</dt>
    <dd>
      ${rest === '' ? nothing : html`<p>${rest}</p>`}
      ${
        own.length === 0
          ? nothing
          : html`<details>
              <summary>${own.length === 1 ? 'One kind' : `${own.length} kinds`} of the above, each for as long as it says there</summary>
              <p>${own.join('; ')}.</p>
            </details>`
      }
      <p><strong>Who sees it:</strong> ${who}</p>
      <p>${basisWords(basis)}</p>
      ${objection === '' ? nothing : html`<p>${objection}</p>`}
      ${edition(purpose)}
    </dd>`;
}

function asked(purpose: PrivacyPurpose): TemplateResult {
  const { title, words, who, how_long } = purpose;
  return html`<dt>${title}</dt>
    <dd>
      <p><strong>What:</strong> ${words}</p>
      <p><strong>Who sees it:</strong> ${who}</p>
      <p><strong>How long:</strong> ${how_long}</p>
      <p>Only if you agree (GDPR, article 6(1)(a)), and you can take it back at any time.</p>
      ${edition(purpose)}
    </dd>`;
}

function edition({ version, since }: PrivacyPurpose): TemplateResult {
  return html`<p class="fine">Version ${version}, of ${dateWords(since)}.</p>`;
}

customElements.define('vc-privacy', Privacy);
