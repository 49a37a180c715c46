package io.vmm4j.engine.machine.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ConsoleInputException;
import io.vmm4j.api.ConsoleMatch;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.snapshot.ConsoleState;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(1200)
class HostConsoleTest {
  private static final Duration NOW = Duration.ZERO;
  private static final Duration LONG = Duration.ofMinutes(10);

  private boolean ownThread;

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
            public boolean isOwnThread() {
              return ownThread;
            }

            @Override
            public int inputLimitBytes() {
              return 1024;
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
  void aRestoreTakesTranscriptPositionAndInputBackAndGoesOnFromThere() {
    // given
    write("login: ");
    console.expect("login", NOW);
    console.send("root\n");
    guest.receive();
    ConsoleState saved = console.save(4096);
    write("# echo PASS");
    console.expect("PASS", NOW);
    console.send("rm -r /\n");

    // when
    console.holdInput();
    assertThat(guest.available()).isZero();
    assertThat(guest.receive()).isEqualTo(-1);
    console.restore(saved);

    // then
    assertThat(console.transcript()).isEqualTo("login: ");
    assertThat(console.bytesWritten()).isEqualTo(7);
    assertThat(console.pendingInputBytes()).isEqualTo(4);
    assertThatThrownBy(() -> console.expect("login", NOW))
        .isInstanceOf(ConsoleExpectationException.class);
    assertThatThrownBy(() -> console.expect("PASS", NOW))
        .isInstanceOf(ConsoleExpectationException.class);
    for (char c : "oot\n".toCharArray()) {
      assertThat(guest.receive()).isEqualTo(c);
    }
    assertThat(guest.receive()).isEqualTo(-1);
    write("$ ");
    assertThat(console.expect("$", NOW).before()).isEqualTo(": ");
  }

  @Test
  void anExpectationThatWaitsLooksAtWhatWasRestored() {
    write("a long text before ");
    ConsoleState empty = ConsoleState.EMPTY;
    CompletableFuture<ConsoleMatch> expecting =
        CompletableFuture.supplyAsync(() -> console.expect("needle", LONG));
    write("need");
    console.restore(empty);
    write("le ");
    write("needle");
    assertThat(expecting.join().before()).isEqualTo("le ");
  }

  @Test
  void aLongTranscriptIsSavedByItsEndAndKeepsItsPlaces() {
    write("x".repeat(5000));
    console.expect("x", NOW);
    write("end");
    ConsoleState saved = console.save(100);
    assertThat(saved.transcript()).hasSize(100).endsWith('e', 'n', 'd');
    assertThat(saved.bytesWritten()).isEqualTo(5003);

    console.restore(saved);

    assertThat(console.transcriptBytes()).hasSize(100);
    write("y".repeat(4096));
    assertThat(console.transcript()).isEqualTo("y".repeat(4096));
    assertThat(console.bytesWritten()).isEqualTo(5003 + 4096);
    assertThat(console.expect("y", NOW).before()).isEmpty();

    // a transcript that is longer than what this machine keeps
    byte[] text = "z".repeat(10_000).getBytes(StandardCharsets.UTF_8);
    console.restore(new ConsoleState(20_000, 20_000, text, new byte[0]));
    assertThat(console.transcriptBytes()).hasSize(4096);
    write("end");
    assertThat(console.transcript()).hasSize(4096).endsWith("zend");
    console.expect("end", NOW);
  }

  @Test
  void listenersHearEachByteOnceAcrossARestore() {
    write("before ");
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteArrayOutputStream fromNow = new ByteArrayOutputStream();
    ByteArrayOutputStream late = new ByteArrayOutputStream();
    console.onOutput(all::writeBytes);
    console.onOutput(console.bytesWritten(), fromNow::writeBytes);
    ConsoleState saved = console.save(4096);
    write("undone ");
    console.restore(saved);
    write("after");
    console.onOutput(late::writeBytes);
    console.end(new VmExit.PoweredOff());
    console.close();

    assertThat(all.toString(StandardCharsets.UTF_8)).isEqualTo("before undone after");
    assertThat(fromNow.toString(StandardCharsets.UTF_8)).isEqualTo("undone after");
    assertThat(late.toString(StandardCharsets.UTF_8)).isEqualTo("before after");
  }

  @Test
  void inputIsBoundedAndWhoSendsMoreWaitsForTheGuest() {
    // given: the buffer is full
    console.send(new byte[1024]);
    assertThat(console.offer(new byte[10], 0, 10)).isZero();
    assertThatThrownBy(() -> console.send(new byte[10], NOW))
        .isInstanceOfSatisfying(
            ConsoleInputException.class, e -> assertThat(e.bytesSent()).isZero())
        .hasMessageContaining("'com1': 0 of 10 bytes were sent")
        .hasMessageContaining("within 0 ms");

    // when
    byte[] much = new byte[100_000];
    new java.util.Random(4).nextBytes(much);
    CompletableFuture<?> sending = CompletableFuture.runAsync(() -> console.send(much));
    CompletableFuture<?> other = CompletableFuture.runAsync(() -> console.send(much, LONG));

    // then: each is sent whole, and never is there more than the bound
    ByteArrayOutputStream taken = new ByteArrayOutputStream();
    while (taken.size() < 1024 + 2 * much.length) {
      assertThat(console.pendingInputBytes()).isLessThanOrEqualTo(1024);
      int next = guest.receive();
      if (next >= 0) {
        taken.write(next);
      }
    }
    sending.join();
    other.join();
    byte[] bytes = taken.toByteArray();
    assertThat(java.util.Arrays.copyOfRange(bytes, 1024, 1024 + much.length)).isEqualTo(much);
    assertThat(java.util.Arrays.copyOfRange(bytes, 1024 + much.length, bytes.length))
        .isEqualTo(much);
  }

  @Test
  void aSenderThatWaitsHearsOfARestoreAnInterruptAndTheEnd() throws InterruptedException {
    // restore
    CompletableFuture<?> sending = CompletableFuture.runAsync(() -> console.send(new byte[2000]));
    awaitFull();
    console.restore(ConsoleState.EMPTY);
    assertThatThrownBy(sending::join)
        .cause()
        .isInstanceOfSatisfying(
            ConsoleInputException.class, e -> assertThat(e.bytesSent()).isEqualTo(1024))
        .hasMessageContaining("taken to a snapshot");
    assertThat(console.pendingInputBytes()).isZero();

    // interrupt
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread sender =
        Thread.ofPlatform()
            .start(() -> {
              try {
                console.send(new byte[2000]);
              } catch (ConsoleInputException e) {
                thrown.complete(e);
              }
            });
    awaitFull();
    sender.interrupt();
    assertThat(thrown.join()).hasMessageContaining("interrupted");
    sender.join();

    // the end
    CompletableFuture<?> last = CompletableFuture.runAsync(() -> console.send(new byte[2000]));
    console.end(new VmExit.PoweredOff());
    assertThatThrownBy(last::join).cause().isInstanceOf(VmStoppedException.class);
  }

  private void awaitFull() {
    while (console.pendingInputBytes() < 1024) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aThreadOfTheMachineIsRefusedWhatItWouldWaitFor() {
    ownThread = true;
    console.send(new byte[1000]);
    assertThatThrownBy(() -> console.send(new byte[1000]))
        .isInstanceOfSatisfying(
            ConsoleInputException.class, e -> assertThat(e.bytesSent()).isEqualTo(24))
        .hasMessageContaining("a thread of the machine itself");
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
