package io.vmm4j.control.protocol;

import java.nio.charset.StandardCharsets;

/**
 * A target for fuzzing: whatever a line is, the parser says what it asks for or what is wrong, and
 * the reply to it is one line. {@code ./fuzz control} lets Jazzer look for exceptions to that;
 * {@link RequestParserCorpusTest} repeats what it has tried.
 */
public final class RequestParserFuzz {
  private static final RequestParser PARSER = new RequestParser(1 << 16, 1 << 12);

  private RequestParserFuzz() {}

  /** One line, without its line feed. Called by Jazzer. */
  public static void fuzzerTestOneInput(byte[] line) {
    byte[] reply =
        switch (PARSER.parse(line)) {
          case Request.Line.Good good -> Replies.ok(good.id(), Replies.Result.DONE);
          case Request.Line.Bad bad -> Replies.error(bad.id(), bad.type(), bad.message());
        };
    String text = new String(reply, StandardCharsets.US_ASCII);
    if (text.indexOf('\n') != text.length() - 1 || !text.startsWith("{\"id\":")) {
      throw new IllegalStateException("not one line: " + text);
    }
    if (text.length() > 1000) {
      throw new IllegalStateException("a reply far longer than any can be: " + text);
    }
  }
}
