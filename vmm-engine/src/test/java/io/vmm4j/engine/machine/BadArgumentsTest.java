package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Console;
import io.vmm4j.api.ConsoleExpectationException;
import io.vmm4j.api.ConsoleInputException;
import io.vmm4j.api.InvalidSpecException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmTimeoutException;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a program must not give is refused by the name of the parameter. */
@Timeout(1200)
@SuppressWarnings({"NullAway", "DataFlowIssue", "resource"})
class BadArgumentsTest {
  private static final Duration NOW = Duration.ZERO;

  private final TestMachines machines = new TestMachines((host, vcpu) -> Outcome.NEXT);
  private final Map<ThrowingCallable, String> calls = new LinkedHashMap<>();

  private void refused(String parameter, ThrowingCallable call) {
    calls.put(call, parameter);
  }

  private void assertRefused() {
    calls.forEach((call, parameter) ->
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(parameter));
  }

  @Test
  void nullOnAConsole() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      Console console = vm.console("test");
      byte[] none = null;
      String noText = null;
      Pattern noPattern = null;
      Consumer<byte[]> noListener = null;
      refused("text", () -> console.send(noText));
      refused("line", () -> console.sendLine(null));
      refused("bytes", () -> console.send(none));
      refused("bytes", () -> console.send(none, NOW));
      refused("timeout", () -> console.send(new byte[1], null));
      refused("bytes", () -> console.offer(null, 0, 0));
      refused("listener", () -> console.onOutput(null));
      refused("listener", () -> console.onOutput(0, noListener));
      refused("literal", () -> console.expect(noText, NOW));
      refused("pattern", () -> console.expect(noPattern, NOW));
      refused("timeout", () -> console.expect("x", null));
      refused("patterns", () -> console.expectAny(NOW, (Pattern[]) null));
      refused("patterns", () -> console.expectAny(NOW, Pattern.compile("x"), null));
      assertRefused();
      assertThat(console.pendingInputBytes()).isZero();
    }
  }

  @Test
  void nullOnAMachineAndASnapshot() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      SnapshotOptions noOptions = null;
      Snapshot noSnapshot = null;
      Path noFile = null;
      OutputStream noOut = null;
      ResumeOptions noResume = null;
      refused("path", () -> vm.console(null));
      refused("options", () -> vm.snapshot(noOptions));
      refused("earlier", () -> vm.snapshot(noSnapshot));
      refused("out", () -> vm.snapshotTo(null));
      refused("snapshot", () -> vm.restore(null));
      refused("timeout", () -> vm.awaitExit(null));
      refused("target", () -> vm.memory().read(0, null, 0, 0));
      refused("source", () -> vm.memory().write(0, null, 0, 0));
      refused("file", () -> snapshot.writeTo(noFile));
      refused("out", () -> snapshot.writeTo(noOut));
      refused("options", () -> snapshot.writeTo(OutputStream.nullOutputStream(), null));
      refused("options", () -> snapshot.resume(noResume));
      assertRefused();
    }
  }

  @Test
  void nullInOptions() {
    refused("spec", () -> Vm.create(null));
    refused("file", () -> Snapshot.read((Path) null));
    refused("in", () -> Snapshot.read((InputStream) null));
    refused("parents", () -> Snapshot.read(Path.of("x"), (SnapshotResolver) null));
    refused("newName", () -> ResumeOptions.standard().named(null));
    refused("backend", () -> ResumeOptions.standard().on(null));
    refused("config", () -> ResumeOptions.standard().rebind("test", null));
    refused("compression", () -> SaveOptions.standard().packed(null));
    refused("text", () -> MemorySize.parse(null));
    refused("kernel", () -> LinuxBoot.kernel(null));
    refused("file", () -> LinuxBoot.kernel(Path.of("x")).initrd(null));
    refused("image", () -> new BootSource.FlatRealMode(null, 0));
    refused("modules", () -> new BootSource.Detect(Path.of("x"), null, ""));
    assertRefused();
  }

  @Test
  void nullAmongFeaturesIsAFaultOfTheSpecification() {
    VmSpec.Builder builder =
        VmSpec.builder("m")
            .withCpuFeatures((CpuFeature) null)
            .withoutCpuFeatures((CpuFeature) null);

    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidSpecException.class)
        .hasMessageContainingAll("withCpuFeatures: null", "withoutCpuFeatures: null");
  }

  /** The shortest and the longest durations that there are. */
  @Test
  void aTimeBeforeNowIsOverAndOneThatIsNeverOverIsWaitedFor() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      Console console = vm.console("test");
      byte[] tooMuch = new byte[1 << 20];
      for (long seconds : List.of(Long.MIN_VALUE, -1L, 0L)) {
        Duration over = Duration.ofSeconds(seconds);
        assertThatThrownBy(() -> console.send(tooMuch, over))
            .isInstanceOf(ConsoleInputException.class)
            .hasMessageContaining("has not taken the rest within");
        assertThatThrownBy(() -> console.expect("x", over))
            .isInstanceOf(ConsoleExpectationException.class);
        assertThatThrownBy(() -> vm.awaitExit(over)).isInstanceOf(VmTimeoutException.class);
      }
      Duration never = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
      Thread.ofVirtual().start(vm::stop);
      assertThatThrownBy(() -> console.expect("x", never))
          .isInstanceOf(ConsoleExpectationException.class)
          .hasMessageContaining("the machine has ended");
      vm.awaitExit(never);
    }
  }
}
