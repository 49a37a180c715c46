package io.vmm4j.engine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;

/** A machine whose guest rings the doorbells of a {@link BellDevice}, for every backend. */
public final class DoorbellGuest {
  private DoorbellGuest() {}

  /** The machine, not yet running. */
  public static Vm create(
      Path directory, BackendChoice backend, ClockMode clock, int rounds, boolean ownThread)
      throws IOException {
    return create(directory, backend, clock, new BellDevice.Config(rounds, ownThread, 0));
  }

  /** One whose device has more doorbells and signals than a backend may want to have. */
  public static Vm createWithSpares(
      Path directory, BackendChoice backend, int rounds, boolean ownThread) throws IOException {
    return create(
        directory, backend, ClockMode.REAL, new BellDevice.Config(rounds, ownThread, 600));
  }

  private static Vm create(
      Path directory, BackendChoice backend, ClockMode clock, BellDevice.Config config)
      throws IOException {
    return ExtraDevice.create(
        GuestPrograms.spec(directory, backend, GuestPrograms.DOORBELLS).build(),
        clock,
        new BellDevice.Factory(),
        config);
  }
}
