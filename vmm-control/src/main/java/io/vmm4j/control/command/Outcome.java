package io.vmm4j.control.command;

import io.vmm4j.api.Console;
import io.vmm4j.control.protocol.Replies;

/** What becomes of a connection after a command that went well. */
public sealed interface Outcome {

  /** Nothing to report but that it is done. */
  static Outcome done() {
    return new Reply(Replies.Result.DONE);
  }

  /** It gets a reply, and its next request may come. */
  record Reply(Replies.Result result) implements Outcome {}

  /** It gets a reply, and is this console's line from then on. */
  record Attach(Console console) implements Outcome {}
}
