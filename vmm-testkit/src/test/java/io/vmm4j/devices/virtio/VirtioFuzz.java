package io.vmm4j.devices.virtio;

import io.vmm4j.api.Console;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtioballoon.VirtioBalloonConfig;
import io.vmm4j.devices.virtioballoon.VirtioBalloonFactory;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.devices.virtioconsole.VirtioConsoleConfig;
import io.vmm4j.devices.virtioconsole.VirtioConsoleFactory;
import io.vmm4j.devices.virtioinput.VirtioInputConfig;
import io.vmm4j.devices.virtioinput.VirtioInputFactory;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import io.vmm4j.devices.virtionet.VirtioNetFactory;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import io.vmm4j.devices.virtiorng.VirtioRngFactory;
import io.vmm4j.devices.virtiovsock.VirtioVsockConfig;
import io.vmm4j.devices.virtiovsock.VirtioVsockFactory;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A target for fuzzing: whatever a driver does to a virtio device, nothing is thrown, the machine
 * goes on, and a machine restored in between does the same as the one that was saved. {@code ./fuzz
 * virtio} lets Jazzer look for exceptions to that; {@link VirtioFuzzTest} repeats what it has
 * tried.
 *
 * <p>The first byte of the input chooses the device, the others are what its driver does.
 */
public final class VirtioFuzz {
  /** The devices, in the order of the first byte. */
  static final List<String> DEVICES =
      List.of(
          VirtioBlockConfig.TYPE,
          VirtioNetConfig.TYPE,
          VirtioRngConfig.TYPE,
          VirtioVsockConfig.TYPE,
          VirtioConsoleConfig.TYPE,
          VirtioBalloonConfig.TYPE,
          VirtioInputConfig.TYPE);

  /** What a driver does, by the first byte of a step. */
  enum Step {
    SET_UP,
    SUBMIT,
    NOTIFY,
    STORE_REGISTER,
    LOAD_REGISTER,
    WRITE_MEMORY,
    WRITE_RING,
    CONFIGURE,
    TIME,
    TYPE,
    SAVE
  }

  private static final int MOST_STEPS = 500;
  private static final int QUEUES = 6;
  private static final int DISK_BYTES = 64 << 10;
  private static final long MEMORY_END = 0xA_0000;
  private static final long CONFIGURATION = PciMachine.ECAM + (3 << 15);

  private VirtioFuzz() {}

  /** A session. Called by Jazzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    ByteBuffer steps = ByteBuffer.wrap(input, 1, input.length - 1);
    try (Session session = new Session(machine((input[0] & 0xFF) % DEVICES.size()))) {
      for (int i = 0; i < MOST_STEPS && steps.hasRemaining(); i++) {
        session.step(steps);
      }
      session.compare();
    }
  }

  private static TestMachine machine(int device) {
    TestMachine.Builder bus = PciMachine.bus();
    String path = VirtioDriver.PATH;
    return (switch (device) {
          case 0 ->
              bus.device(
                  path,
                  new VirtioBlockFactory(),
                  new VirtioBlockConfig(Disk.FILE.toString(), DiskMode.OVERLAY, "serial", 1));
          case 1 -> bus.device(path, new VirtioNetFactory(), VirtioNetConfig.DEFAULT);
          case 2 -> bus.device(path, new VirtioRngFactory(), new VirtioRngConfig(true));
          case 3 -> bus.device(path, new VirtioVsockFactory(), VirtioVsockConfig.DEFAULT);
          case 6 -> bus.device(path, new VirtioInputFactory(), VirtioInputConfig.TABLET);
          case 5 -> bus.device(path, new VirtioBalloonFactory(), VirtioBalloonConfig.DEFAULT);
          default ->
              bus.device(path, new VirtioConsoleFactory(), VirtioConsoleConfig.withPorts("agent"));
        })
        .build();
  }

  /** A disk that is never written. */
  private static final class Disk {
    static final Path FILE = make();

    private static Path make() {
      try {
        Path file = Files.createTempFile("fuzz", ".disk");
        file.toFile().deleteOnExit();
        return Files.write(file, new byte[DISK_BYTES]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A machine, and from some step on another one that was restored from it. */
  private static final class Session implements AutoCloseable {
    private final TestMachine machine;
    private Optional<TestMachine> twin = Optional.empty();
    private boolean packed;

    Session(TestMachine machine) {
      this.machine = machine;
    }

    private <T> T both(String what, Function<TestMachine, T> action) {
      T one = action.apply(machine);
      twin.ifPresent(other -> {
        T found = action.apply(other);
        if (!one.equals(found)) {
          throw new IllegalStateException(
              "%s: a restored machine gives %s, where the saved one gives %s"
                  .formatted(what, found, one));
        }
      });
      return one;
    }

    void step(ByteBuffer in) {
      Step step = Step.values()[number(in, 1) % Step.values().length];
      switch (step) {
        case SET_UP -> setUp(number(in, 1), in.hasRemaining() ? in.get() : 0);
        case SUBMIT -> submit(in);
        case NOTIFY -> {
          int queue = number(in, 1) % (QUEUES + 1);
          both("notification", m -> register(m, 0x3000 + 4 * queue, 4, queue));
        }
        case STORE_REGISTER -> {
          int offset = number(in, 2) % 0x3400;
          int size = 1 << number(in, 1) % 4;
          long value = number(in, 4);
          both("store", m -> register(m, offset, size, value));
        }
        case LOAD_REGISTER -> {
          int offset = number(in, 2) % 0x3400;
          int size = 1 << number(in, 1) % 4;
          both("load", m -> new VirtioDriver(m, false).loadRegister(offset, size));
        }
        case WRITE_MEMORY -> {
          long at = VirtioDriver.BUFFERS + number(in, 2) % 0x2000;
          byte[] bytes = new byte[Math.min(number(in, 1), in.remaining())];
          in.get(bytes);
          both("memory", m -> memory(m, at, bytes));
        }
        case WRITE_RING -> {
          long at = VirtioDriver.QUEUES + number(in, 2) % (QUEUES * 0x1000);
          byte[] word = {(byte) number(in, 1), (byte) number(in, 1)};
          both("ring", m -> memory(m, at, word));
        }
        case CONFIGURE -> {
          long at = CONFIGURATION + (number(in, 1) & ~3);
          long value = number(in, 4) & 0xFFFF_FFFFL;
          both(
              "configuration",
              m -> {
                m.writeMmio(at, 4, value);
                return m.readMmio(at, 4);
              });
        }
        case TIME -> {
          long micros = number(in, 2);
          both(
              "time",
              m -> {
                m.advance(Duration.ofNanos(1000 * micros));
                return m.nanoTime();
              });
        }
        case TYPE -> {
          String text = "x".repeat(number(in, 1));
          both(
              "typing",
              m -> {
                if (m.vm().devices(Console.class).containsKey(VirtioDriver.PATH)) {
                  m.send(text);
                }
                return true;
              });
        }
        case SAVE -> {
          compare();
          if (twin.isEmpty()) {
            // A restored device looks at its queues once, where there is something to send. So the
            // saved one has looked too, at rings that a driver has changed without notification.
            new VirtioDriver(machine, packed).map(); // its BAR may be anywhere
            for (int queue = 0; queue < QUEUES; queue++) {
              register(machine, 0x3000 + 4 * queue, 4, queue);
            }
            machine.runTasks();
            twin = Optional.of(machine.twin());
            both("state", TestMachine::state);
          }
        }
      }
      both(
          "tasks",
          m -> {
            m.runTasks();
            return true;
          });
    }

    private static int number(ByteBuffer in, int bytes) {
      int value = 0;
      for (int i = 0; i < bytes && in.hasRemaining(); i++) {
        value |= (in.get() & 0xFF) << 8 * i;
      }
      return bytes == 4 ? value : value & (1 << 8 * bytes) - 1;
    }

    private static boolean register(TestMachine machine, int offset, int size, long value) {
      new VirtioDriver(machine, false).storeRegister(offset, size, value);
      return true;
    }

    private static boolean memory(TestMachine machine, long at, byte[] bytes) {
      machine.memory().write(at, bytes);
      return true;
    }

    /** A good set-up of all queues, in pages of their own. */
    private void setUp(int kind, int features) {
      packed = (kind & 1) != 0;
      boolean anew = (kind & 2) == 0;
      both(
          "set-up",
          m -> {
            if (anew) {
              m.memory().write(VirtioDriver.QUEUES, new byte[QUEUES * 0x1000]);
            }
            VirtioDriver[] queues = new VirtioDriver[QUEUES];
            for (int i = 0; i < QUEUES; i++) {
              queues[i] = VirtioDriver.ofQueue(m, packed, i);
            }
            queues[0].map();
            long wanted = features & 0x7F | (kind & 4L) << 27;
            VirtioDriver.setUp((kind & 8) != 0 ? wanted : wanted & queues[0].offered(), queues);
            return queues[0].status();
          });
    }

    /** A chain at some place of a ring, which becomes available. */
    private void submit(ByteBuffer in) {
      int queue = number(in, 1) % QUEUES;
      int count = 1 + number(in, 1) % 4;
      int available = number(in, 1);
      VirtioDriver.Buffer[] chain = new VirtioDriver.Buffer[count];
      for (int i = 0; i < count; i++) {
        int kind = number(in, 1);
        int length = number(in, (kind & 1) != 0 ? 4 : 1);
        long address = VirtioDriver.BUFFERS + 0x400L * (kind >> 4);
        chain[i] = new VirtioDriver.Buffer(address, length, kind >> 1 & 7 & ~1);
      }
      both(
          "chain",
          m -> {
            VirtioDriver.ofQueue(m, packed, queue).submitAt(available, chain);
            return true;
          });
    }

    /** Looks whether both are the same. */
    void compare() {
      both("state", TestMachine::state);
      both("exits", TestMachine::exits);
      both("claims", TestMachine::claims);
      both("timers", TestMachine::timers);
      both("memory", m -> Arrays.hashCode(m.memory().read(0, (int) MEMORY_END)));
      if (!machine.exits().isEmpty()) {
        throw new IllegalStateException("the machine has ended: " + machine.exits());
      }
    }

    @Override
    public void close() {
      twin.ifPresent(TestMachine::close);
      machine.close();
    }
  }
}
