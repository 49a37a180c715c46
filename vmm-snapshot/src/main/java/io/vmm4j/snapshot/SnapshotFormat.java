package io.vmm4j.snapshot;

import io.vmm4j.api.backend.CpuFeature;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The numbers and names of the format.
 *
 * <pre>
 * snapshot  = prologue chunk* footer                      a CBOR sequence (RFC 8742)
 * prologue  = 55799([ "vmm4j-snapshot", fields, crc ])
 * chunk     = [ header, crc, body, crc ]
 * header    = fields                                      kind, critical, length, …
 * body      = fields | bstr                               bstr in memory chunks
 * fields    = 24(bstr .cbor { * tstr => any })            RFC 8949, 3.4.5.1
 * crc       = bstr .size 4                                CRC-32C, big-endian, of the string before
 * footer    = chunk of kind "footer"
 * </pre>
 *
 * <p>Every head has its shortest form and every length is definite, so that there is one way only
 * to write an item and a reader knows how many bytes follow. The whole format is described in
 * docs/snapshot-format.md.
 */
final class SnapshotFormat {
  /** The container version written, and the newest that is read. */
  static final int MAJOR = 1;

  static final int MINOR = 0;

  /** The oldest container version that is read. */
  static final int OLDEST_MAJOR = 1;

  static final String NAME = "vmm4j-snapshot";

  /** What every snapshot begins with: the tag, an array of three, the name, the tag of fields. */
  static final byte[] MAGIC = magic();

  /** The feature of a snapshot whose memory is one piece that can be mapped. */
  static final String MAPPED = "mapped";

  /** Features in the prologue without which a file can't be read, as far as this version knows. */
  static final Set<String> FEATURES = features();

  /** Begins the name of a feature that is one of the machine's processors, such as "cpu:PKU". */
  static final String CPU_FEATURE = "cpu:";

  static final String MACHINE = "machine";
  static final String STATE = "state";
  static final String MAPPING = "mapping";
  static final String MEMORY = "memory";
  static final String MEMORY_IMAGE = "memory-image";
  static final String PADDING = "padding";
  static final String FOOTER = "footer";

  static final int PAGE_BYTES = 4096;
  static final int BLOCK_BYTES = 2 << 20;
  static final int BLOCK_PAGES = BLOCK_BYTES / PAGE_BYTES;

  /** The bytes a fill page repeats. */
  static final int FILL_BYTES = 8;

  static final int PAGE_ZERO = 0;
  static final int PAGE_FILL = 1;
  static final int PAGE_DATA = 2;

  /** Same as in the parent: only in a delta. */
  static final int PAGE_PARENT = 3;

  static final int PAGE_KINDS = 4;

  static final int MAX_HEADER_BYTES = 64 << 10;
  static final int MAX_REGIONS = 4096;

  private SnapshotFormat() {}

  private static Set<String> features() {
    Set<String> all = new HashSet<>();
    all.add(MAPPED);
    all.addAll(cpuFeatures(EnumSet.allOf(CpuFeature.class)));
    return Set.copyOf(all);
  }

  /** The names of those features of processors that not every reader has known. */
  static List<String> cpuFeatures(Set<CpuFeature> features) {
    return features.stream()
        .filter(feature -> !CpuFeature.portable().contains(feature))
        .map(feature -> CPU_FEATURE + feature.name())
        .toList();
  }

  /** What a page of a kind takes in the body of a memory chunk. */
  static int storedBytes(int kind) {
    return switch (kind) {
      case PAGE_FILL -> FILL_BYTES;
      case PAGE_DATA -> PAGE_BYTES;
      default -> 0;
    };
  }

  private static byte[] magic() {
    byte[] name = NAME.getBytes(StandardCharsets.UTF_8);
    byte[] magic = new byte[5 + name.length + 2];
    magic[0] = (byte) 0xD9;
    magic[1] = (byte) 0xD9;
    magic[2] = (byte) 0xF7;
    magic[3] = (byte) 0x83;
    magic[4] = (byte) (0x60 | name.length);
    System.arraycopy(name, 0, magic, 5, name.length);
    magic[5 + name.length] = (byte) 0xD8;
    magic[6 + name.length] = 0x18;
    return magic;
  }
}
