package io.vmm4j.bench;

import io.vmm4j.api.Vm;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Guest instructions by time, in programs of a booted Linux, under virtual time. {@code ./bench jmh
 * LinuxInstructions}
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
public class LinuxInstructions {
  private static final int STEP = 5_000_000;

  /** What the guest's shell runs. */
  @Param({"while true; do md5sum /bin/busybox; done", "while true; do x=$((x + 1)); done"})
  public String program = "";

  private Vm vm = BootedGuest.create("jmh");

  /** Boots and starts the program. */
  @Setup(Level.Trial)
  public void boot() {
    BootedGuest.awaitPrompt(vm);
    vm.console("com1").sendLine(program + " >/dev/null");
    vm.pause();
    vm.step(STEP);
  }

  /** Ends the machine. */
  @TearDown(Level.Trial)
  public void close() {
    vm.close();
  }

  /** Instructions a microsecond: millions a second. */
  @Benchmark
  @OperationsPerInvocation(STEP)
  public void instructions() {
    vm.step(STEP);
  }
}
