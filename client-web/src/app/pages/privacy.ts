import { html, type TemplateResult } from 'lit';
import { Page } from '../page.js';

/** Says what is true of this version, and nothing else. */
class Privacy extends Page {
  protected override render(): TemplateResult {
    return html`<div class="frame prose">
      <h1>What this server knows</h1>
      <p class="lead">As little as it can, for as short a time as it can. Here is all of it, in plain words.</p>

      <h2>When you watch</h2>
      <dl class="ledger">
        <dt>Your network address</dt>
        <dd>
          Needed to send you the video. It is held in memory while you are connected and gone afterwards. It is not written
          to disk or to a log, and neither other viewers nor the broadcaster ever receive it.
          Whoever runs this server may name a helper for networks that let no video through; there is none unless they do,
          and one that is not theirs learns your address, too.
        </dd>
        <dt>A guest pass</dt>
        <dd>
          A random number that lets you into one public event for a few minutes and is renewed while you watch, and a key
          that shows the pass is yours. They say nothing about you, and are kept in this page’s memory only.
        </dd>
        <dt>An invitation, if you have one</dt>
        <dd>
          It arrives in the link. Your browser keeps it for this tab, so that reloading works, and drops it when you close
          the tab. It also makes a key for this one event, which nobody can copy, not even these pages: with it, the
          invitation works in your browser alone. The key goes when you see the event end, and after 31 days at the latest
          when you come back here.
        </dd>
        <dt>Cookies, accounts, counters</dt>
        <dd>None, unless an event asks you to sign in. Nothing on these pages comes from anywhere but this server.</dd>
        <dt>That you are there</dt>
        <dd>
          The broadcaster sees roughly how many people are watching, every half minute. There is no list of viewers but of
          those who chose to be listed, for those who did, too.
        </dd>
        <dt>What you write in a chat, if you open it</dt>
        <dd>
          You are asked first. It goes to those who take part, under a name that you choose for one event and that no
          other event knows. It is kept in this server’s memory only, until the event ends, four hours at most, or until
          you delete it or leave the chat: then it goes from every screen that runs our player. Screens keep the rest
          for ten minutes after the event. A photograph, or a program made to keep it, keeps what it saw.
        </dd>
      </dl>

      <h2>When you sign in to watch</h2>
      <dl class="ledger">
        <dt>Where you sign in</dt>
        <dd>
          The place you choose learns that you signed in here, and when. What you want to watch stays in your tab: the
          question it is asked is the same for everybody.
        </dd>
        <dt>Who you are there</dt>
        <dd>
          The server keeps a fingerprint by which you are the same person next time, not your name, your e-mail address
          or your name there. At each event you are somebody else, and nobody sees a list.
        </dd>
        <dt>Three cookies and a key</dt>
        <dd>
          One cookie while you are away to sign in, for ten minutes at most; one that says who has signed in, and one that
          renews your pass while a page is open and changes each time. Those end when you sign out, after 12 hours without
          use, and after 30 days. Scripts can read none of them. The key is made in your browser when you go to sign in, and
          nobody can copy it, not even these pages; without it, the last cookie is worth nothing. It goes when you sign out,
          and after 31 days at the latest when you come back here.
        </dd>
      </dl>

      <h2>When you broadcast</h2>
      <dl class="ledger">
        <dt>Picture and sound</dt>
        <dd>
          Passed on to the viewers as they arrive, and not recorded. They are encrypted between you and the server, and
          again between the server and each viewer. In this version the server itself could read them, so you trust
          whoever runs it.
        </dd>
        <dt>The event</dt>
        <dd>
          Its title (encrypted on disk), who may come in, whether it has started or ended, and when it was made, to the
          minute. This version keeps it for as long as the server keeps its data; it cannot remove a single event yet.
        </dd>
      </dl>

      <h2>When you run this server</h2>
      <dl class="ledger">
        <dt>Your account</dt>
        <dd>
          What you sign in with: the public half of a passkey, or a name and a hash of your password (Argon2id), from which
          the password cannot be read back. Which make of device has the passkey is not kept. For 90 days, to the minute:
          that you signed in, with which of them, and what you changed about them; not from where. All of it is encrypted
          on disk, under a key of your own.
        </dd>
        <dt>Two cookies and a key</dt>
        <dd>
          One says that you have signed in, and one renews your pass while a page is open and changes each time. They end when
          you sign out, after 12 hours without use, and after 30 days. Scripts can read neither, they are sent to this server
          only, and the server stores just fingerprints of them. The key is made in your browser (IndexedDB) and cannot be
          copied; the second cookie is worth nothing without it. If a copy of that is used all the same, the sign-in ends and
          your account’s page says so. Viewers get them only if they sign in.
        </dd>
      </dl>

      <h2>Against abuse</h2>
      <p>
        Failed attempts, such as wrong passwords and invalid passes, are counted per network, and wrong passwords per
        account. The count is kept in memory under a code made with a key that lives for ten minutes; then it means nothing any more. Joining an event is never
        counted.
      </p>
      <p>
        When a moderator keeps somebody out of an event, a code of the account, invitation or key they came with is stored, made
        with a key of that event, and the minute; no address, and nothing about a browser or device. It goes when the event
        ends, and says nothing at another event. A guest leaves nothing to be recognised by.
      </p>

      <h2>What this cannot promise</h2>
      <p>
        The part that moves the video knows addresses but no names; the part that checks passes and passwords hands it
        random numbers only. Both run in one program here. That protects against mistakes and leaks, not against a
        person who runs this server and changes the program.
      </p>
    </div>`;
  }
}

customElements.define('vc-privacy', Privacy);
