package io.vmm4j.engine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A machine whose guest rings the doorbells of a {@link BellDevice}, for every backend. */
public final class DoorbellGuest {
  private static final Duration LONG = Duration.ofSeconds(120);

  private DoorbellGuest() {}

  /** The machine, not yet running. */
  public static Vm create(
      Path directory, BackendChoice backend, ClockMode clock, int rounds, boolean ownThread)
      throws IOException {
    return ExtraDevice.create(
        GuestPrograms.spec(directory, backend, GuestPrograms.DOORBELLS).build(),
        clock,
        new BellDevice.Factory(),
        new BellDevice.Config(rounds, ownThread));
  }

  /** Runs it to its end, at which device and guest have counted the same. */
  public static void finish(Vm vm) {
    vm.resume();
    awaitEnd(vm);
  }

  /** Waits for such an end. */
  public static void awaitEnd(Vm vm) {
    ExtraDevice.awaitEnd(vm);
  }

  /** Takes it from backend to backend until it ends, saved wherever it happens to be. */
  public static void move(Vm first, List<BackendChoice> backends, int moves) {
    ExtraDevice.move(first, backends, moves);
  }
}
