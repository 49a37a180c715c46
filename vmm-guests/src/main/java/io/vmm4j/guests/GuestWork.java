package io.vmm4j.guests;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What {@code /bin/work} of the initramfs prints, computed on the host. A sum covers the data and
 * the sum before it, so a single bit that a guest loses shows in every later line.
 */
public final class GuestWork {
  /** The amount of data that {@code work} sums when it isn't told another. */
  public static final int DEFAULT_MEBIBYTES = 4;

  /** Matches one line of the output: the round as group 1, its sum as group 2. */
  public static final Pattern LINE = Pattern.compile("work (\\d+) ([0-9a-f]{32})");

  private static final int BLOCK_BYTES = 4096;

  private GuestWork() {}

  /**
   * Computes the lines that {@code work ROUNDS MEBIBYTES} prints.
   *
   * @param rounds the number of lines, 0 or more
   * @param mebibytes the amount of data, a power of two
   * @return the lines, without their ends
   * @throws IllegalArgumentException if an argument is out of its range
   */
  public static List<String> lines(int rounds, int mebibytes) {
    if (rounds < 0 || mebibytes < 1 || Integer.bitCount(mebibytes) != 1) {
      throw new IllegalArgumentException(
          "expected rounds >= 0 and a power of two of MiB, not %d and %d"
              .formatted(rounds, mebibytes));
    }
    byte[] block = block();
    long blocks = ((long) mebibytes << 20) / BLOCK_BYTES;
    List<String> lines = new ArrayList<>();
    String sum = "start";
    for (int round = 1; round <= rounds; round++) {
      MessageDigest md5 = md5();
      for (long i = 0; i < blocks; i++) {
        md5.update(block);
      }
      md5.update((sum + "\n").getBytes(StandardCharsets.US_ASCII));
      sum = HexFormat.of().formatHex(md5.digest());
      lines.add("work %d %s".formatted(round, sum));
    }
    return lines;
  }

  /**
   * Picks the lines of {@code work} out of a console's transcript.
   *
   * @param transcript what the guest printed
   * @return the lines in their order, without their ends
   */
  public static List<String> linesIn(String transcript) {
    return LINE.matcher(transcript).results().map(MatchResult::group).toList();
  }

  private static byte[] block() {
    String numbers =
        IntStream.rangeClosed(1, 2000).mapToObj(i -> i + "\n").collect(Collectors.joining());
    return Arrays.copyOf(numbers.getBytes(StandardCharsets.US_ASCII), BLOCK_BYTES);
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
