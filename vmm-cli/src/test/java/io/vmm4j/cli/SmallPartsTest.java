package io.vmm4j.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.BootException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmExit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Times, sizes, exit codes, messages, the trigger, the escape and the terminal. */
class SmallPartsTest {

  @Nested
  class Times {
    @Test
    void areReadInEachUnit() {
      assertThat(Durations.parse("500ms")).isEqualTo(Duration.ofMillis(500));
      assertThat(Durations.parse("60s")).isEqualTo(Duration.ofSeconds(60));
      assertThat(Durations.parse("5m")).isEqualTo(Duration.ofMinutes(5));
      assertThat(Durations.parse("1h")).isEqualTo(Duration.ofHours(1));
      assertThat(Durations.parse("7")).isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void thatAreNoneAreRefusedWithExamples() {
      for (String text : List.of("", "s", "-1s", "1 s", "1.5s", "9999999999s")) {
        assertThatThrownBy(() -> Durations.parse(text)).hasMessageContaining("500ms, 60s, 5m, 1h");
      }
    }
  }

  @Nested
  class LogLines {
    @Test
    void areOneLineEachThatCannotControlTheTerminal() throws IOException {
      String configuration;
      try (InputStream file = LogLines.class.getResourceAsStream("/logback.xml")) {
        configuration = new String(requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
      }
      Matcher replaced =
          Pattern.compile("%replace\\(%msg\\)\\{'(.+?)', '(.+?)'}").matcher(configuration);
      assertThat(replaced.find()).isTrue();
      String hostile = "machine '\u001b[31mEVIL\nvmm: saved\u2028\u202e'";
      assertThat(hostile.replaceAll(replaced.group(1), replaced.group(2)))
          .isEqualTo("machine '?[31mEVIL?vmm: saved??'");
    }
  }

  @Nested
  class AmountsOfBytes {
    @Test
    void areShownInTheUnitThatSuits() {
      assertThat(Sizes.text(1023)).isEqualTo("1023 bytes");
      assertThat(Sizes.text(1536)).isEqualTo("1.5 KiB");
      assertThat(Sizes.text(512L << 20)).isEqualTo("512.0 MiB");
      assertThat(Sizes.text((1L << 30) - 1)).isEqualTo("1.0 GiB");
    }
  }

  @Nested
  class ExitCodes {
    @Test
    void followTheMachinesEnd() {
      assertThat(ExitCode.of(new VmExit.PoweredOff())).isZero();
      assertThat(ExitCode.of(new VmExit.Reset(VmExit.Reset.Cause.DEVICE))).isEqualTo(4);
      assertThat(ExitCode.of(new VmExit.Reset(VmExit.Reset.Cause.TRIPLE_FAULT))).isEqualTo(6);
      assertThat(ExitCode.of(new VmExit.Panicked(""))).isEqualTo(30);
      assertThat(ExitCode.of(new VmExit.Reset(VmExit.Reset.Cause.WATCHDOG))).isEqualTo(4);
      assertThat(ExitCode.of(new VmExit.DebugExit(0))).isEqualTo(1);
      assertThat(ExitCode.of(new VmExit.DebugExit(5))).isEqualTo(11);
      assertThat(ExitCode.of(new VmExit.DebugExit(0x80))).isEqualTo(1);
      assertThat(ExitCode.of(new VmExit.Crashed("triple fault", ""))).isEqualTo(6);
    }

    @Test
    void followTheFailure() {
      assertThat(Failures.exitCode(new UsageException("x"))).isEqualTo(2);
      assertThat(Failures.exitCode(new BackendUnavailableException("kvm", "x"))).isEqualTo(14);
      assertThat(Failures.exitCode(new BootException("x"))).isEqualTo(10);
      assertThat(Failures.exitCode(new IOException("x"))).isEqualTo(10);
      assertThat(Failures.exitCode(new SnapshotException.Truncated(1, "x"))).isEqualTo(12);
      assertThat(Failures.exitCode(new VmException("x"))).isEqualTo(20);
    }

    @Test
    void ofOurOwnAreEvenSoThatEveryOddOneIsTheGuests() throws IllegalAccessException {
      for (java.lang.reflect.Field field : ExitCode.class.getDeclaredFields()) {
        assertThat(field.getInt(null) % 2).as(field.getName()).isZero();
      }
    }
  }

  @Nested
  class FailureMessages {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Messages messages =
        new Messages(new PrintStream(err, true, StandardCharsets.UTF_8), false);

    @Test
    void areOneLineEach() {
      assertThat(Failures.report(new NoSuchFileException("/k"), false, messages)).isEqualTo(10);

      assertThat(err.toString(StandardCharsets.UTF_8).lines())
          .containsExactly("vmm: no such file: /k");
    }

    @Test
    void thatShouldNotHappenSayHowToSeeMore() {
      Failures.report(new IllegalStateException("oh\nno"), false, messages);

      assertThat(err.toString(StandardCharsets.UTF_8).lines())
          .containsExactly(
              "vmm: java.lang.IllegalStateException: oh no",
              "vmm: this should not happen; --verbose shows where");
    }

    @Test
    void takeTheProgressLineAwayFirst() {
      Messages watched = new Messages(new PrintStream(err, true, StandardCharsets.UTF_8), true);
      watched.progress("half");
      watched.say("done");

      assertThat(err.toString(StandardCharsets.UTF_8))
          .isEqualToNormalizingNewlines("\r\u001b[Kvmm: half\r\u001b[Kvmm: done\n");
    }
  }

  @Nested
  class Trigger {
    private final AtomicInteger fired = new AtomicInteger();

    private void feed(String wanted, String... pieces) {
      TextTrigger trigger = new TextTrigger(wanted, fired::incrementAndGet);
      for (String piece : pieces) {
        trigger.accept(piece.getBytes(StandardCharsets.UTF_8));
      }
    }

    @Test
    void firesOnceForATextInPieces() {
      feed("login:", "a log", "in", ": login:");
      assertThat(fired).hasValue(1);
    }

    @Test
    void findsATextBehindItsOwnBeginning() {
      feed("aab", "aa", "ab");
      assertThat(fired).hasValue(1);
    }

    @Test
    void doesNotFireForPartOfTheText() {
      feed("login:", "login", "logi", "n :");
      assertThat(fired).hasValue(0);
    }
  }

  @Nested
  class Escape {
    private final AtomicInteger ends = new AtomicInteger();
    private final EscapeFilter filter = new EscapeFilter(ends::incrementAndGet);

    private String typed(String keys) {
      byte[] bytes = keys.getBytes(StandardCharsets.ISO_8859_1);
      return new String(filter.filter(bytes, bytes.length), StandardCharsets.ISO_8859_1);
    }

    @Test
    void controlAThenXEndsTheMachineAndDoesNotReachTheGuest() {
      assertThat(typed("ab\u0001")).isEqualTo("ab");
      assertThat(typed("xc")).isEqualTo("c");
      assertThat(ends).hasValue(1);
    }

    @Test
    void controlATwiceIsOneForTheGuest() {
      assertThat(typed("\u0001\u0001x")).isEqualTo("\u0001x");
      assertThat(typed("\u0001a")).isEqualTo("\u0001");
      assertThat(ends).hasValue(0);
    }

    @Test
    void otherKeysGoToTheGuestControlCToo() {
      assertThat(typed("\u0003\u0001k\u00e4")).isEqualTo("\u0003\u0001k\u00e4");
    }
  }

  @Nested
  class RawTerminal {
    private final List<List<String>> calls = new ArrayList<>();

    @Test
    void isBroughtBackOnceToWhatItWas() {
      // given a terminal
      Terminal terminal =
          new Terminal(arguments -> {
            calls.add(arguments);
            return Optional.of(arguments.equals(List.of("-g")) ? "saved:settings" : "");
          });

      // when it is made raw and brought back, by the session and by the shutdown hook
      Runnable restore = terminal.makeRaw().orElseThrow();
      restore.run();
      restore.run();

      // then
      assertThat(calls).hasSize(3);
      assertThat(calls.get(1)).contains("-icanon", "-echo", "-isig");
      assertThat(calls.get(2)).containsExactly("saved:settings");
    }

    @Test
    void isNotTriedOnWhatIsNoTerminal() {
      Terminal pipe =
          new Terminal(arguments -> {
            calls.add(arguments);
            return Optional.empty();
          });

      assertThat(pipe.makeRaw()).isEmpty();
      assertThat(calls).hasSize(1);
    }

    @Test
    void isForgoneWhereThereIsNoStty() {
      Terminal terminal =
          new Terminal(arguments -> {
            throw new IOException("no such program");
          });

      assertThat(terminal.makeRaw()).isEmpty();
    }
  }
}
