package io.vmm4j.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What guests and hosts may do to a device, in an order that follows from a seed. */
final class Workload {
  private static final long[] TELLING = {
    0, 1, 2, 4, 8, 0x10, 0x20, 0x34, 0x80, 0xC0, 0xFE, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x4000_0000
  };

  private final Random random;

  Workload(long seed) {
    random = new Random(seed);
  }

  void run(TestMachine machine, int steps) {
    for (int step = 0; step < steps; step++) {
      step(machine);
    }
  }

  /** One step, and the answer to it as text. */
  String step(TestMachine machine) {
    return switch (random.nextInt(20)) {
      case 0 -> {
        machine.advance(Duration.ofNanos(random.nextLong(1L << random.nextInt(10, 31))));
        yield "time " + machine.nanoTime();
      }
      case 1 -> {
        String text = "text".repeat(random.nextInt(1, 8));
        if (machine.hasConsole()) {
          machine.send(text);
        }
        yield "input";
      }
      case 2 -> {
        int line = random.nextInt(TestMachine.LINES);
        machine.setLine(line, random.nextBoolean());
        yield "line";
      }
      case 3 -> "vector " + machine.acknowledge();
      case 4 -> {
        machine.endInterrupt(random.nextInt(256));
        yield "end of interrupt";
      }
      case 5 -> ring(machine);
      default -> access(machine);
    };
  }

  private record Bell(int claim, int number) {}

  private String ring(TestMachine machine) {
    List<Bell> bells = new ArrayList<>();
    List<TestMachine.Claim> claims = machine.claims();
    for (int claim = 0; claim < claims.size(); claim++) {
      for (int bell = 0; bell < claims.get(claim).doorbells().size(); bell++) {
        bells.add(new Bell(claim, bell));
      }
    }
    if (bells.isEmpty()) {
      return access(machine);
    }
    Bell chosen = bells.get(random.nextInt(bells.size()));
    machine.ring(chosen.claim, chosen.number);
    return "rung";
  }

  private String access(TestMachine machine) {
    List<TestMachine.Claim> claims =
        machine.claims().stream().filter(claim -> claim.base() >= 0).toList();
    if (claims.isEmpty()) {
      return "";
    }
    TestMachine.Claim claim = claims.get(random.nextInt(claims.size()));
    int size = 1 << random.nextInt(claim.ports() ? 3 : 4);
    // Registers lie at the beginning of a window more often than not.
    long span = random.nextBoolean() ? Math.min(claim.length(), 0x48) : claim.length();
    long at = claim.base() + random.nextLong(span);
    boolean write = random.nextBoolean();
    long value = random.nextBoolean() ? TELLING[random.nextInt(TELLING.length)] : random.nextLong();
    if (claim.ports()) {
      if (at + size > 0x10000) {
        return "";
      }
      if (write) {
        machine.out((int) at, size, (int) value);
        return "written";
      }
      return "%x: %x".formatted(at, machine.in((int) at, size));
    }
    if (write) {
      machine.writeMmio(at, size, value);
      return "written";
    }
    return "%x: %x".formatted(at, machine.readMmio(at, size));
  }
}
