package io.vmm4j.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what a device asks the host for that its machine gives it: the time, and random numbers. A
 * run that takes them from the host does not repeat, and no test of its states could be sure to
 * notice. So the classes of the device are read: its own, and what they use of its package.
 */
final class HostTime {
  private static final Set<String> CALLS =
      Set.of(
          "java/lang/System.nanoTime",
          "java/lang/System.currentTimeMillis",
          "java/time/Instant.now",
          "java/time/LocalDate.now",
          "java/time/LocalTime.now",
          "java/time/LocalDateTime.now",
          "java/time/ZonedDateTime.now",
          "java/time/OffsetDateTime.now",
          "java/time/Clock.systemUTC",
          "java/time/Clock.systemDefaultZone",
          "java/lang/Math.random",
          "java/util/UUID.randomUUID",
          "java/util/concurrent/ThreadLocalRandom.current",
          "java/security/SecureRandom.<init>");

  /** Constructors that take nothing, and so the host's time or entropy. */
  private static final Set<String> SEEDLESS =
      Set.of(
          "java/util/Date.<init>", "java/util/Random.<init>", "java/util/SplittableRandom.<init>");

  private HostTime() {}

  /**
   * A use of the host's time by a device's classes, if there is one: the class and what it calls.
   *
   * @param allowed names of classes that it may call
   */
  static Optional<String> useBy(Class<?> device, Set<String> allowed) {
    ClassLoader loader = device.getClassLoader();
    String folder = device.getPackageName().replace('.', '/') + "/";
    Set<String> seen = new HashSet<>();
    Deque<String> left = new ArrayDeque<>();
    left.add(device.getName().replace('.', '/'));
    while (!left.isEmpty()) {
      String name = left.remove();
      if (!seen.add(name)) {
        continue;
      }
      for (PoolEntry entry : read(loader, name).constantPool()) {
        if (entry instanceof ClassEntry used && used.asInternalName().startsWith(folder)) {
          left.add(used.asInternalName());
        } else if (entry instanceof MemberRefEntry member
            && isHosts(member)
            && !allowed.contains(member.owner().asInternalName().replace('/', '.'))) {
          return Optional.of(
              "%s calls %s.%s"
                  .formatted(
                      name.replace('/', '.'),
                      member.owner().asInternalName().replace('/', '.'),
                      member.name().stringValue()));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isHosts(MemberRefEntry member) {
    String call = member.owner().asInternalName() + "." + member.name().stringValue();
    return CALLS.contains(call)
        || SEEDLESS.contains(call) && member.type().stringValue().equals("()V");
  }

  private static ClassModel read(ClassLoader loader, String name) {
    try (InputStream in = loader.getResourceAsStream(name + ".class")) {
      if (in == null) {
        throw new AssertionError("the class file of " + name + " can't be found");
      }
      return ClassFile.of().parse(in.readAllBytes());
    } catch (IOException e) {
      throw new AssertionError("the class file of " + name + " can't be read", e);
    }
  }
}
