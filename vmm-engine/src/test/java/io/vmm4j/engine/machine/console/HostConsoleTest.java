package io.vmm4j.engine.machine.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.ByteChannelEndpoint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HostConsoleTest {
  private static final Duration NOW = Duration.ZERO;
  private static final Duration LONG = Duration.ofSeconds(30);

  private final HostConsole console =
      new HostConsole(
          "com1",
          4096,
          new ConsoleOwner() {
            @Override
            public String name() {
              return "test";
            }

            @Override
            public void execute(String path, Runnable task) {
              task.run();
            }

            @Override
            public String describeVcpus() {
              return "vcpu/0: dreaming";
            }
          });
  private final ByteChannelEndpoint guest = console.endpoint();

  private void write(String text) {
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      guest.transmit(b & 0xFF);
    }
  }

  @Test
  void eachExpectationLooksBehindTheOneBefore() {
    write("one two one three");
    assertThat(console.expect("one", NOW).before()).isEmpty();
    assertThat(console.expect("one", NOW).before()).isEqualTo(" two ");
    assertThatThrownBy(() -> console.expect("one", NOW))
        .isInstanceOf(ConsoleExpectationException.class);
    assertThat(console.transcript()).isEqualTo("one two one three");
  }

  @Test
  void theEarliestOfSeveralPatternsMatchesWithItsGroups() {
    write("error 42 at login: ");
    ConsoleMatch match =
        console.expectAny(NOW, Pattern.compile("login"), Pattern.compile("error (\\d+)(x)?"));
    assertThat(match.pattern()).isEqualTo(1);
    assertThat(match.groups()).containsExactly("42", "");
    assertThat(console.expect("login", NOW).before()).isEqualTo(" at ");
  }

  @Test
  void textBeyondAsciiIsUtf8WhereItIsValidAndPositionsStayRight() {
    write("gr\u00fc\u00df \ud83d\ude00 ");
    guest.transmit(0xE4);
    write(" end");
    assertThat(console.transcript()).isEqualTo("gr\u00fc\u00df \ud83d\ude00 \u00e4 end");
    console.expect("\ud83d\ude00", NOW);
    assertThat(console.expect("end", NOW).before()).isEqualTo(" \u00e4 ");
  }

  @Test
  void whatComesLaterIsWaitedFor() {
    CompletableFuture<ConsoleMatch> expecting =
        CompletableFuture.supplyAsync(() -> console.expect("needle", LONG));
    write("hay hay nee");
    write("dle hay");
    assertThat(expecting.join().before()).isEqualTo("hay hay ");
  }

  @Test
  void aFailureSaysWhatWasAwaitedWhatCameAndWhatTheProcessorDoes() {
    write("first line\nlast line");
    assertThatThrownBy(() -> console.expect("login:", NOW))
        .isInstanceOfSatisfying(
            ConsoleExpectationException.class, e -> assertThat(e.machineEnded()).isFalse())
        .hasMessageContaining("'com1': expected \"login:\" within 0 ms")
        .hasMessageContaining("  | first line")
        .hasMessageContaining("  | last line")
        .hasMessageContaining("vcpu/0: dreaming");
  }

  @Test
  void theEndOfTheMachineEndsTheWaitButNotWhatWasWritten() {
    CompletableFuture<?> expecting =
        CompletableFuture.runAsync(() -> console.expect("never", Duration.ofDays(1)));
    write("last words");
    console.end(new VmExit.PoweredOff());
    assertThatThrownBy(expecting::join)
        .cause()
        .isInstanceOfSatisfying(
            ConsoleExpectationException.class, e -> assertThat(e.machineEnded()).isTrue());
    console.expect("last words", LONG);
  }

  @Test
  void theTranscriptKeepsItsEndWithinItsBound() {
    write("x".repeat(10_000) + "end");
    assertThat(console.transcriptBytes()).hasSize(4096);
    assertThat(console.transcript()).endsWith("xend");
    assertThat(console.bytesWritten()).isEqualTo(10_003);
    console.expect("end", NOW);
  }

  @Test
  void listenersGetAllOfTheOutputBeforeClosing() {
    write("before ");
    ByteArrayOutputStream heard = new ByteArrayOutputStream();
    console.onOutput(heard::writeBytes);
    write("after ");
    write("last");
    console.end(new VmExit.PoweredOff());
    console.close();
    assertThat(heard.toString(StandardCharsets.UTF_8)).isEqualTo("before after last");
  }

  @Test
  void listenersGetAllOfTheOutputThoughTheThreadThatClosesIsInterrupted() {
    ByteArrayOutputStream heard = new ByteArrayOutputStream();
    CompletableFuture<?> called = new CompletableFuture<>();
    CompletableFuture<?> goOn = new CompletableFuture<>();
    console.onOutput(bytes -> {
      called.complete(null);
      goOn.join();
      heard.writeBytes(bytes);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    });
    write("first ");
    called.join();
    write("last");
    console.end(new VmExit.PoweredOff());

    // when
    Thread.currentThread().interrupt();
    CompletableFuture.runAsync(() -> goOn.complete(null));
    console.close();

    // then
    assertThat(Thread.interrupted()).isTrue();
    assertThat(heard.toString(StandardCharsets.UTF_8)).isEqualTo("first last");
  }

  @Test
  void inputWaitsUntilTheGuestTakesItAndIsAnnounced() {
    int[] announced = new int[1];
    guest.onReceivable(() -> announced[0]++);
    console.send("ab");
    assertThat(announced[0]).isEqualTo(1);
    assertThat(guest.available()).isEqualTo(2);
    assertThat(guest.receive()).isEqualTo('a');
    assertThat(guest.receive()).isEqualTo('b');
    assertThat(guest.receive()).isEqualTo(-1);
  }
}
