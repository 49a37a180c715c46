package io.vmm4j.architecture;

import java.io.File;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the tests run with: all modules of the project and their libraries. */
final class ClassPath {
  private ClassPath() {}

  static Stream<Path> entries() {
    return Pattern.compile(File.pathSeparator)
        .splitAsStream(System.getProperty("java.class.path"))
        .map(entry -> Path.of(entry).toAbsolutePath().normalize());
  }
}
