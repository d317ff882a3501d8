package kiln.tui.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What is wrong with a command's arguments, in one line. */
final class UsageErrors {
    private UsageErrors() {}

    static String line(ParameterException e) {
        String command = e.getCommandLine().getCommandName();
        String help = " (" + command + " --help lists the options)";
        if (e instanceof UnmatchedArgumentException) {
            String argument = ((UnmatchedArgumentException) e).getUnmatched().get(0);
            if (argument.startsWith("-") && argument.length() > 1) {
                return "unknown option '" + argument + "'" + hint(argument, e) + help;
            }
            return "unexpected argument '" + argument + "'"
                    + (command.equals("kiln txt2img") ? ": a prompt of several words needs quotation marks" : help);
        }
        String message = e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
        return message.isEmpty() ? "wrong arguments" + help : Character.toLowerCase(message.charAt(0)) + message.substring(1);
    }

    private static String hint(String argument, ParameterException e) {
        List<String> names = new ArrayList<>();
        for (OptionSpec option : e.getCommandLine().getCommandSpec().options()) {
            for (String name : option.names()) {
                if (name.startsWith("--")) {
                    names.add(name);
                }
            }
        }
        int equals = argument.indexOf('=');
        String name = equals < 0 ? argument : argument.substring(0, equals);
        return name.startsWith("--") ? NearestName.hint(name, names) : "";
    }
}
