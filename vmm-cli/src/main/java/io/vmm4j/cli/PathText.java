package io.vmm4j.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads a path of the command line. An empty one, such as of a variable of a script that is not
 * set, would be the current directory.
 */
final class PathText implements ITypeConverter<Path> {
  @Override
  public Path convert(String text) {
    if (text.isEmpty()) {
      throw new TypeConversionException("the path is empty");
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new TypeConversionException("'" + text + "' is no path: " + e.getReason());
    }
  }

  /**
   * Reads a path where a word may stand for something else.
   *
   * @param what it is the path of
   */
  static Path of(String what, String text) {
    try {
      return new PathText().convert(text);
    } catch (TypeConversionException e) {
      throw new UsageException(what + ": " + e.getMessage());
    }
  }
}
