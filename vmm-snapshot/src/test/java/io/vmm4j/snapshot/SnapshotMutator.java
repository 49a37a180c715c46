package io.vmm4j.snapshot;

import io.vmm4j.api.state.FieldMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Changes snapshots where it hurts: fields, lengths, the order of chunks. All checksums are right
 * afterwards, so that what is read goes deep into the reader. What it does follows from a seed.
 */
final class SnapshotMutator {
  private static final long[] TELLING = {
    0,
    1,
    -1,
    2,
    3,
    7,
    255,
    4095,
    4096,
    4097,
    1 << 20,
    2 << 20,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private final Random random;
  private final SnapshotParts taken;
  private final List<SnapshotParts.Part> parts;

  private SnapshotMutator(SnapshotParts taken, long seed) {
    this.taken = taken;
    parts = taken.parts;
    random = new Random(seed);
  }

  /** A changed snapshot. */
  static byte[] mutate(byte[] whole, long seed) throws IOException {
    SnapshotMutator mutator = new SnapshotMutator(SnapshotParts.of(whole), seed);
    for (int changes = 1 + mutator.random.nextInt(3); changes > 0; changes--) {
      mutator.change();
    }
    byte[] bytes = mutator.taken.snapshot();
    if (mutator.random.nextInt(8) == 0) {
      bytes = mutator.damage(bytes);
    }
    return bytes;
  }

  private void change() {
    int at = random.nextInt(Math.max(1, parts.size()));
    switch (random.nextInt(parts.isEmpty() ? 1 : 9)) {
      case 0 -> taken.prologue = changed(taken.prologue);
      case 1 -> parts.remove(at);
      case 2 -> parts.add(random.nextInt(parts.size() + 1), parts.get(at));
      case 3 -> parts.add(random.nextInt(parts.size()), parts.remove(at));
      case 4, 5 -> {
        SnapshotParts.Part part = parts.get(at);
        parts.set(at, new SnapshotParts.Part(changed(part.header()), part.tagged(), part.body()));
      }
      case 6 -> {
        SnapshotParts.Part part = parts.get(at);
        parts.set(at, new SnapshotParts.Part(part.header(), part.tagged(), damage(part.body())));
      }
      case 7 -> taken.footer = changed(taken.footer);
      default -> {
        SnapshotParts.Part part = parts.get(at);
        byte[] body = part.tagged() ? changed(part.body()) : damage(part.body());
        parts.set(at, new SnapshotParts.Part(part.header(), part.tagged(), body));
      }
    }
  }

  /** Encoded fields, changed; damaged if they were damaged before. */
  private byte[] changed(byte[] encoded) {
    return SnapshotParts.decode(encoded)
        .map(fields -> CborFields.encode(changed(fields, 0)))
        .orElseGet(() -> damage(encoded));
  }

  private FieldMap changed(FieldMap fields, int depth) {
    List<String> names = new ArrayList<>(fields.names());
    if (names.isEmpty()) {
      return fields.with("more", 1L);
    }
    String name = names.get(random.nextInt(names.size()));
    return switch (random.nextInt(8)) {
      case 0 -> fields.without(name);
      case 1 -> fields.with("more", fields.get(name));
      case 2 -> fields.with(name, fields.get(names.get(random.nextInt(names.size()))));
      default -> fields.with(name, changed(fields.get(name), depth));
    };
  }

  private Object changed(Object value, int depth) {
    if (random.nextInt(10) == 0) {
      return other(depth);
    }
    return switch (value) {
      case Long n ->
          random.nextBoolean()
              ? (Object) TELLING[random.nextInt(TELLING.length)]
              : (Object) (n + random.nextInt(-2, 3));
      case Boolean b -> !b;
      case String s -> random.nextBoolean() ? s + s : s.substring(0, s.length() / 2);
      case byte[] b -> damage(b);
      case FieldMap map -> changed(map, depth + 1);
      case List<?> list -> {
        List<Object> copy = new ArrayList<>(list);
        if (copy.isEmpty()) {
          copy.add(other(depth + 1));
        } else {
          int at = random.nextInt(copy.size());
          switch (random.nextInt(4)) {
            case 0 -> copy.remove(at);
            case 1 -> copy.add(copy.get(at));
            default -> copy.set(at, changed(copy.get(at), depth + 1));
          }
        }
        yield copy;
      }
      default -> value;
    };
  }

  private Object other(int depth) {
    return switch (random.nextInt(depth > 8 ? 4 : 7)) {
      case 0 -> TELLING[random.nextInt(TELLING.length)];
      case 1 -> random.nextBoolean();
      case 2 -> "text";
      case 3 -> new byte[random.nextInt(64)];
      case 4 -> List.of();
      case 5 -> List.of(other(depth + 1), other(depth + 1));
      default -> FieldMap.of(new LinkedHashMap<>(Map.of("x", other(depth + 1))));
    };
  }

  private byte[] damage(byte[] bytes) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    int at = random.nextInt(bytes.length);
    return switch (random.nextInt(4)) {
      case 0 -> Arrays.copyOf(bytes, at);
      case 1 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(16));
      default -> {
        byte[] copy = bytes.clone();
        copy[at] ^= (byte) (1 << random.nextInt(8));
        yield copy;
      }
    };
  }
}
