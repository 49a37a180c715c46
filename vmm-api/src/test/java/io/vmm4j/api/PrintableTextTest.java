package io.vmm4j.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrintableTextTest {
  @Test
  void whatSteersATerminalIsEscaped() {
    assertThat(PrintableText.line("\u001b[2J\u001b]0;title\u0007"))
        .isEqualTo("\\u001b[2J\\u001b]0;title\\u0007");
    assertThat(PrintableText.line("\u009b2J\u007f\b")).isEqualTo("\\u009b2J\\u007f\\u0008");
    assertThat(PrintableText.line("a\u202eb\u2028c\uD800d")).isEqualTo("a\\u202eb\\u2028c\\ud800d");
  }

  @Test
  void visibleCharactersStay() {
    String text = "disk0 \"größer\" 日本 😀 \\ %s";
    assertThat(PrintableText.line(text)).isSameAs(text);
    assertThat(PrintableText.of(text)).isSameAs(text);
  }

  @Test
  void linesStayLinesUnlessTheTextIsPartOfOne() {
    assertThat(PrintableText.of("a\r\n\tb\n")).isEqualTo("a\r\n\tb\n");
    assertThat(PrintableText.of("a\rb")).isEqualTo("a\\u000db");
    assertThat(PrintableText.line("a\r\n\tb\n")).isEqualTo("a\\u000d\\u000a\\u0009b\\u000a");
  }

  @Test
  void everyErrorOfTheLibraryHasAPrintableMessage() {
    String hostile = "no device 'x\u001b[31m'\nof that type";
    assertThat(new VmException(hostile)).hasMessage("no device 'x\\u001b[31m'\nof that type");
    assertThat(new VmException(hostile, new IllegalStateException()).getMessage())
        .isEqualTo("no device 'x\\u001b[31m'\nof that type");
    assertThat(new SnapshotException.MissingDevice("com1\u001b", "u\u0007").getMessage())
        .doesNotContain("\u001b", "\u0007");
  }
}
