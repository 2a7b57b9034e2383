// Piccolo Admin shows its own page for signing in when a session ends; staff sign in on ours.
const leave = () => {
  if (location.hash.startsWith("#/login")) location.replace("../staff/sign-in");
};
addEventListener("hashchange", leave);
leave();
