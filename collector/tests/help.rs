//! The commands as their help texts describe them.

use clap::{Parser, Subcommand};
use collector::command::CollectorCommand;

#[derive(Parser)]
#[command(name = "nines-collector")]
struct Arguments {
    #[command(subcommand)]
    command: CollectorCommand,
}

#[test]
fn every_command_has_a_help_text_with_an_example() {
    let mut command = <Arguments as clap::CommandFactory>::command().term_width(100);
    command.build();
    let mut pages = command.render_long_help().to_string();
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let mut leaves: Vec<clap::Command> = sub.get_subcommands().cloned().collect();
        if leaves.is_empty() {
            leaves.push(sub.clone());
        }
        for mut leaf in leaves.into_iter().filter(|leaf| leaf.get_name() != "help") {
            let page = leaf.render_long_help().to_string();
            let is_shown = page.contains("\nExample:\n  nines-collector ") && page.contains(leaf.get_name());
            assert!(is_shown, "{} {} has no example of its own", sub.get_name(), leaf.get_name());
            pages.push_str(&format!("\n---- {}\n{page}", leaf.get_name()));
        }
    }
    insta::assert_snapshot!("help", pages);
}

#[test]
fn commands_can_be_part_of_another_program() {
    let outer = clap::Command::new("nines")
        .subcommand(<CollectorCommand as Subcommand>::augment_subcommands(clap::Command::new("collector")));
    outer.debug_assert();
}
