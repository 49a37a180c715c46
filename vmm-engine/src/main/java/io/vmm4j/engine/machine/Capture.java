package io.vmm4j.engine.machine;

import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.engine.machine.snapshot.ParentLink;
import java.time.Duration;
import java.time.Instant;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Takes one snapshot of a machine. A live one copies the memory while the guest runs, then what the
 * guest has written meanwhile, and so on until that is little, or gets no less; what is left is
 * copied with the guest standing, together with all other state.
 */
final class Capture {
  private static final String WHAT = "take a snapshot";

  /** As few pages as this (1 MiB) are copied in less time than it takes to look for more. */
  private static final int FEW_PAGES = 256;

  private final MachineFactory factory;
  private final Machine machine;
  private final SnapshotOptions options;
  private final Optional<MachineSnapshot> parent;
  private final long begun = System.nanoTime();
  private long pausedNanos;
  private long standsSince;
  private long copied;
  private int passes;

  Capture(MachineFactory factory, Machine machine, SnapshotOptions options) {
    this.factory = factory;
    this.machine = machine;
    this.options = options;
    this.parent = options.parent().map(MachineSnapshot::ours);
  }

  MachineSnapshot take() {
    // What a delta needs of its parent is worked out while the guest runs: to digest the memory and
    // to compare what is not of one lineage takes longer than the capture itself.
    parent.ifPresent(MachineSnapshot::memoryDigest);
    Captured captured =
        machine
            .control()
            .holding()
            .exclusively(
                WHAT,
                () ->
                    options.whileRunning()
                        ? live()
                        : held(() -> machine.quiet().during(this::stopped)));
    try {
      Optional<ParentLink> link = parent.map(p -> p.linkTo(captured.image, captured.memory));
      return new MachineSnapshot(
          factory,
          UUID.randomUUID(),
          captured.taken,
          captured.image,
          Optional.of(machine.plan()),
          captured.memory,
          link,
          Optional.of(captured.report));
    } catch (Throwable e) {
      captured.memory.release();
      throw e;
    }
  }

  private record Captured(
      Instant taken, MachineImage image, ImageMemory memory, CaptureReport report) {}

  private <T> T held(Supplier<T> action) {
    return machine
        .control()
        .holding()
        .whileHeld(
            WHAT,
            true,
            () -> {
              standsSince = System.nanoTime();
              try {
                return action.get();
              } finally {
                pausedNanos += System.nanoTime() - standsSince;
              }
            });
  }

  private Captured stopped() {
    machine.harvestWrites();
    ImageMemory memory = allocate();
    try {
      return complete(memory, memory.copyAll(machine.memory()));
    } catch (Throwable e) {
      memory.release();
      throw e;
    }
  }

  private ImageMemory allocate() {
    return ImageMemory.of(factory.host(), machine.memory(), places());
  }

  private Map<String, ImageMemory.Place> places() {
    machine.lock().lock();
    try {
      return MachineImage.places(machine);
    } finally {
      machine.lock().unlock();
    }
  }

  private Captured live() {
    ImageMemory memory = allocate();
    try {
      held(machine::harvestWrites);
      long pages = memory.copyAll(machine.memory());
      while (true) {
        copied += pages;
        passes++;
        long copiedBefore = pages;
        BitSet written = new BitSet();
        Optional<Captured> done =
            held(() -> {
              written.or(machine.harvestWrites());
              return isTimeToStand(written.cardinality(), copiedBefore)
                  ? Optional.of(machine.quiet().during(() -> finish(memory, written)))
                  : Optional.empty();
            });
        if (done.isPresent()) {
          return done.get();
        }
        memory.copy(machine.memory(), written);
        pages = written.cardinality();
      }
    } catch (Throwable e) {
      memory.release();
      throw e;
    }
  }

  private boolean isTimeToStand(int written, long copiedBefore) {
    return written <= FEW_PAGES || written >= copiedBefore || passes >= options.maxPasses();
  }

  /** The last pass of a live snapshot, with the guest standing. */
  private Captured finish(ImageMemory memory, BitSet written) {
    written.or(machine.harvestWrites()); // what devices have done until they were quiet
    if (!memory.places().equals(places())) {
      // A device has got memory meanwhile, for which the copy has no place.
      Captured captured = stopped();
      memory.release();
      return captured;
    }
    memory.copy(machine.memory(), written);
    return complete(memory, written.cardinality());
  }

  private Captured complete(ImageMemory memory, long pages) {
    memory.complete(machine.memory());
    MachineImage image = MachineImage.of(machine);
    CaptureReport report =
        new CaptureReport(
            Duration.ofNanos(System.nanoTime() - begun),
            Duration.ofNanos(pausedNanos + System.nanoTime() - standsSince),
            passes + 1,
            copied + pages,
            pages);
    return new Captured(Instant.now(), image, memory, report);
  }
}
