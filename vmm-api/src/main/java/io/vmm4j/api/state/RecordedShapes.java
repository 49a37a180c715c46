package io.vmm4j.api.state;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The shapes that records have had, version by version, as a file beside a test keeps them: the
 * tripwire for who changes a record that stands in snapshots. Each line of the file is a name, a
 * version and a {@linkplain RecordSchema#shape shape}, separated by one space; empty lines and
 * those that begin with {@code #} count for nothing. Lines are added, not changed.
 *
 * {@snippet :
 * RecordedShapes recorded = RecordedShapes.read(ThermometerTest.class, "state-shapes.txt");
 * recorded.check("thermometer", new ThermometerFactory().stateSchema());
 * }
 *
 * <p>Immutable; safe for any thread.
 *
 * @apiNote docs/versioning.md tells step by step how a version is raised.
 */
public final class RecordedShapes {
  private final String source;
  private final Map<String, TreeMap<Integer, String>> shapes;

  private RecordedShapes(String source, Map<String, TreeMap<Integer, String>> shapes) {
    this.source = source;
    this.shapes = shapes;
  }

  /**
   * Reads a resource that lies beside a class.
   *
   * @throws IllegalArgumentException if there is none, or a line is not as above; the message has
   *     the line
   */
  public static RecordedShapes read(Class<?> beside, String resource) {
    InputStream in = beside.getResourceAsStream(resource);
    if (in == null) {
      throw new IllegalArgumentException(
          "there is no resource '%s' beside %s".formatted(resource, beside.getName()));
    }
    Map<String, TreeMap<Integer, String>> shapes = new LinkedHashMap<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      lines
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .forEach(line -> add(shapes, resource, line));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RecordedShapes(resource, shapes);
  }

  private static void add(
      Map<String, TreeMap<Integer, String>> shapes, String resource, String line) {
    String[] parts = line.split(" ", 3);
    if (parts.length != 3 || !parts[1].matches("[1-9][0-9]{0,8}")) {
      throw new IllegalArgumentException(
          "%s: expected 'name version shape', found '%s'".formatted(resource, line));
    }
    TreeMap<Integer, String> versions = shapes.computeIfAbsent(parts[0], name -> new TreeMap<>());
    if (versions.put(Integer.valueOf(parts[1]), parts[2]) != null) {
      throw new IllegalArgumentException(
          "%s: version %s of '%s' is there twice".formatted(resource, parts[1], parts[0]));
    }
  }

  /** The names that have a line. */
  public Set<String> names() {
    return Set.copyOf(shapes.keySet());
  }

  /**
   * Holds a schema to what is recorded: its version and shape are the newest recorded, and every
   * recorded version can still be read.
   *
   * @throws AssertionError if not; it says what to do
   */
  public void check(String name, RecordSchema<?> schema) {
    String line = "%s %d %s".formatted(name, schema.version(), schema.shape());
    TreeMap<Integer, String> recorded = shapes.get(name);
    if (recorded == null) {
      throw new AssertionError(
          "'%s' is not recorded. It is new? Then add this line to %s:%n%s"
              .formatted(name, source, line));
    }
    int newest = recorded.lastKey();
    if (schema.version() > newest) {
      throw new AssertionError(
          "version %d of '%s' is not recorded. Leave the lines of older versions, and add this one to %s:%n%s"
              .formatted(schema.version(), name, source, line));
    }
    if (schema.version() < newest) {
      throw new AssertionError(
          "'%s' went back to version %d; files of version %d may exist. Give it a version above %d"
              .formatted(name, schema.version(), newest, newest));
    }
    if (!schema.shape().equals(recorded.get(newest))) {
      throw new AssertionError(
          """
          '%s' changed its shape and kept its version %d, so snapshots written before would be misread.
            recorded  %s
            now       %s
          What to do (docs/versioning.md has it step by step):
            1. version(%d) in its schema
            2. upgrade(%d, …): the step from the old fields to the new; the identity if all that is new has a defaultValue
            3. a test of that step
            4. a new line in %s, the old ones staying as they are:
          %s %d %s
          """
              .formatted(
                  name,
                  newest,
                  recorded.get(newest),
                  schema.shape(),
                  newest + 1,
                  newest,
                  source,
                  name,
                  newest + 1,
                  schema.shape()));
    }
    if (schema.oldestVersion() > recorded.firstKey()) {
      throw new AssertionError(
          "'%s': no upgrade leads from version %d, which is recorded, to version %d; add upgrade(%d, …) to its schema"
              .formatted(name, recorded.firstKey(), schema.version(), schema.oldestVersion() - 1));
    }
  }
}
