package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.state.FieldMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
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

  private record Part(FieldMap header, boolean tagged, byte[] body) {}

  private final Random random;
  private FieldMap prologue = FieldMap.of(Map.of());
  private final List<Part> parts = new ArrayList<>();
  private FieldMap footer = FieldMap.of(Map.of());

  private SnapshotMutator(long seed) {
    random = new Random(seed);
  }

  /** A changed snapshot. */
  static byte[] mutate(byte[] whole, long seed) throws IOException {
    SnapshotMutator mutator = new SnapshotMutator(seed);
    mutator.parse(whole);
    for (int changes = 1 + mutator.random.nextInt(3); changes > 0; changes--) {
      mutator.change();
    }
    byte[] bytes = mutator.write();
    if (mutator.random.nextInt(8) == 0) {
      bytes = mutator.damage(bytes);
    }
    return bytes;
  }

  private void parse(byte[] whole) throws IOException {
    ChunkInput in =
        new ChunkInput(
            new ByteArrayInputStream(whole),
            SnapshotLimits.standard(),
            new CborFields.Budget(SnapshotReader.MAX_VALUES));
    prologue = in.prologue();
    ChunkHeader header = in.header();
    while (!header.kind().equals(SnapshotFormat.FOOTER)) {
      ChunkInput.AnyBody body = in.anyBody(header);
      parts.add(new Part(header.fields(), body.tagged(), body.bytes().bytes()));
      header = in.header();
    }
    footer = in.fieldsBody(header);
  }

  private void change() {
    int at = random.nextInt(Math.max(1, parts.size()));
    switch (random.nextInt(parts.isEmpty() ? 1 : 9)) {
      case 0 -> prologue = changed(prologue, 0);
      case 1 -> parts.remove(at);
      case 2 -> parts.add(random.nextInt(parts.size() + 1), parts.get(at));
      case 3 -> parts.add(random.nextInt(parts.size()), parts.remove(at));
      case 4, 5 -> {
        Part part = parts.get(at);
        parts.set(at, new Part(changed(part.header, 0), part.tagged, part.body));
      }
      case 6 -> {
        Part part = parts.get(at);
        parts.set(at, new Part(part.header, part.tagged, damage(part.body)));
      }
      case 7 -> footer = changed(footer, 0);
      default -> changeBody(at);
    }
  }

  private void changeBody(int at) {
    Part part = parts.get(at);
    if (part.tagged) {
      try {
        FieldMap fields =
            CborFields.decode(part.body, 0, new CborFields.Budget(SnapshotReader.MAX_VALUES));
        byte[] body = CborFields.encode(changed(fields, 0));
        parts.set(at, new Part(part.header.with("length", (long) body.length), true, body));
      } catch (RuntimeException e) {
        // The body was damaged before.
        parts.set(at, new Part(part.header, true, damage(part.body)));
      }
    } else {
      parts.set(at, new Part(part.header, false, damage(part.body)));
    }
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

  private byte[] write() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ChunkOutput out = new ChunkOutput(bytes);
    out.prologue(prologue);
    for (Part part : parts) {
      // What is no kind or no flag any more can't be framed as one; such a header is left out.
      if (part.header.has("kind")
          && part.header.get("kind") instanceof String
          && part.header.has("critical")
          && part.header.get("critical") instanceof Boolean) {
        out.chunk(part.header, part.tagged, part.body);
      }
    }
    FieldMap ending = footer;
    if (random.nextInt(10) != 0) {
      ending = ending.with("chunks", (long) parts.size()).with("bytes", out.count());
      ending = ending.with("sha256", java.util.HexFormat.of().parseHex(out.endDigest()));
    }
    out.chunk(SnapshotFormat.FOOTER, true, FieldMap.of(Map.of()), ending);
    out.flush();
    return bytes.toByteArray();
  }
}
